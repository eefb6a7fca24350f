"""The README's examples, run as they are printed against a real server."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest

from application.cli.group import manager
from tests.e2e.browser import visit
from tests.e2e.conftest import Serve
from tests.e2e.server import PASSWORD, Server
from tests.waiting import wait_until

README = Path(__file__).parents[2] / "README.md"
DOCUMENTS = ("README.md", "README.zh-CN.md", "docs/architecture.md", "CONTRIBUTING.md", "SECURITY.md")

EXAMPLES = {
    name: (language, code)
    for name, language, code in re.findall(
        r"<!-- example: (\w+) -->\n```(\w+)\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL
    )
}
INTERPRETERS = {"bash": ["bash", "-euo", "pipefail", "-c"], "python": [sys.executable, "-c"]}


def _result(name: str, server: Server, password: str = PASSWORD) -> subprocess.CompletedProcess[str]:
    language, code = EXAMPLES[name]
    return subprocess.run(
        [*INTERPRETERS[language], code],
        env={**os.environ, "BASE": server.url, "ADMIN_PASSWORD": password},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def _run(name: str, server: Server) -> str:
    result = _result(name, server)
    assert result.returncode == 0, result.stderr
    return result.stdout


def _answers(output: str) -> list[Any]:
    """Return the JSON documents that curl printed, each on a line of its own."""
    return [json.loads(line) for line in output.splitlines()]


def _blocks(text: str) -> list[str]:
    """Return the blocks of code, but for the one with the password, whose words are translated."""
    return [block for block in re.findall(r"```\w+\n.*?```", text, re.DOTALL) if "ADMIN_PASSWORD='" not in block]


def _exists(words: list[str]) -> bool:
    """Tell whether the manager has this command; in a group the next word is one of its commands."""
    command: click.Command | None = manager
    for word in words:
        if not isinstance(command, click.Group):
            break
        command = command.commands.get(word)
    return command is not None


@pytest.fixture
def ready(server: Serve) -> Server:
    """Serve with a first admin, as `make run` does."""
    served = server(async_mode="gevent")
    created = served.manage("create-admin")
    assert created.returncode == 0, created.stderr
    return served


class TestReadme:
    def test_shows_an_example_of_each_kind(self) -> None:
        assert set(EXAMPLES) == {"api", "browser", "events", "metrics", "scheduler", "socket", "task"}

    def test_shows_the_same_in_chinese(self) -> None:
        chinese = (README.parent / "README.zh-CN.md").read_text(encoding="utf-8")
        english = README.read_text(encoding="utf-8")
        assert [block for block in _blocks(english) if block not in _blocks(chinese)] == []
        names = [re.findall(r"^\| `([A-Z_]+|make \w+)`", text, re.MULTILINE) for text in (english, chinese)]
        assert names[0] == names[1]
        assert [text.count("\n## ") for text in (english, chinese)] == [6, 6]

    def test_api_example_writes_and_reads_a_blog(self, ready: Server) -> None:
        written, listed = _answers(_run("api", ready))
        assert written["data"]["title"] == "Hello"
        assert listed["page"]["total"] == 1

    def test_api_example_says_why_it_fails(self, ready: Server) -> None:
        failed = _result("api", ready, password="another")
        assert failed.returncode != 0
        assert "The name or the password is wrong." in failed.stderr

    def test_scheduler_example_runs_a_job(self, ready: Server) -> None:
        info, jobs, run = _answers(_run("scheduler", ready))
        assert "running" in info
        assert "prune-expired-sessions" in [job["id"] for job in jobs]
        assert run["run_id"]

    def test_task_example_starts_a_task_and_shows_how_far_it_is(self, ready: Server) -> None:
        ready.await_runner()
        (shown,) = _answers(_run("task", ready))
        assert shown["data"]["name"] == "demo.count_slowly"
        assert shown["data"]["state"] in {"queued", "running", "done"}

    def test_metrics_example_scrapes_with_a_token_and_with_a_password(self, ready: Server) -> None:
        ready.await_leader()
        _run("scheduler", ready)
        finished = 'scheduler_runs_total{status="succeeded"} 1.0'
        wait_until(lambda: finished in _run("metrics", ready).splitlines(), 30, lambda: _run("metrics", ready))
        assert "scheduler_leader 1.0" in _run("metrics", ready).splitlines()
        assert _result("metrics", ready, password="another").returncode != 0

    def test_events_example_lists_what_happened_and_goes_on_from_there(self, ready: Server) -> None:
        ready.await_leader()
        _run("scheduler", ready)
        wait_until(lambda: "finished" in _run("events", ready), 30, lambda: _run("events", ready))
        seen, more = _answers(_run("events", ready))
        told = [event["kind"] for event in seen["events"] if event.get("run_id")]
        assert told == ["queued", "started", "finished"]
        assert [event["number"] for event in seen["events"]] == [*range(1, seen["last"] + 1)]
        assert more == {"events": [], "last": seen["last"], "reset": False}
        assert _result("events", ready, password="another").returncode != 0

    def test_socket_example_prints_memory(self, ready: Server) -> None:
        greeting, reading = _run("socket", ready).splitlines()
        assert greeting == "['connected', {'data': '连接成功'}]"
        assert 0 < float(reading.removeprefix("server_response ")) < 100

    def test_browser_example_fills_the_table_and_asks_the_api(self, ready: Server) -> None:
        _run("api", ready)
        _language, code = EXAMPLES["browser"]
        with visit(ready.url) as visited:
            visited.page.get_by_role("button", name="Start monitoring").click()
            visited.page.get_by_role("table", name="Virtual memory").wait_for()
            blogs = visited.page.evaluate(f"async () => {{ {code} return data; }}")
            assert [blog["title"] for blog in blogs] == ["Hello"]
            assert visited.faults == []

    def test_table_of_commands_names_real_targets(self) -> None:
        targets = re.findall(r"`make (\w[\w-]*)`", README.read_text(encoding="utf-8"))
        makefile = (README.parent / "Makefile").read_text(encoding="utf-8")
        assert set(targets) <= set(re.findall(r"^([\w-]+):", makefile, re.MULTILINE))

    @pytest.mark.parametrize("name", DOCUMENTS)
    def test_links_lead_to_files(self, name: str) -> None:
        document = README.parent / name
        targets = re.findall(r"\]\((?!https?:|#)([^)#\s]+)", document.read_text(encoding="utf-8"))
        assert "SECURITY.md" in {Path(target).name for target in targets} | {name}
        assert [target for target in targets if not (document.parent / target).exists()] == []

    def test_of_security_names_tests_and_settings_that_exist(self) -> None:
        text = (README.parent / "SECURITY.md").read_text(encoding="utf-8")
        rows = [row for row in text.splitlines() if row.startswith("| ") and not row.startswith("| theme")]
        assert [row for row in rows if "`tests/" not in row] == [], "each promise names the tests that hold it"
        tests = re.findall(r"`(tests/[\w./]+)`", text)
        assert [name for name in tests if not (README.parent / name).exists()] == []
        example = (README.parent / ".env.example").read_text(encoding="utf-8")
        settings = re.findall(r"`([A-Z]+(?:_[A-Z]+)*)(?:=\w+)?`", text)
        assert len(settings) > 5
        assert [name for name in settings if f"\n{name}=" not in example] == []

    @pytest.mark.parametrize("name", DOCUMENTS)
    def test_commands_of_the_manager_exist(self, name: str) -> None:
        text = (README.parent / name).read_text(encoding="utf-8")
        called = re.findall(r"(?<![\w/.])(\S*python[\d.]*) manager\.py((?: [a-z][\w-]*)*)", text)
        assert [interpreter for interpreter, _ in called if interpreter.lstrip("`") != ".venv/bin/python"] == []
        rest = [row for row in text.splitlines() if row.startswith("| `.venv/bin/python manager.py --help`")]
        listed = [[word] for row in rest for word in re.findall(r"`([a-z][\w-]*)`", row)]
        assert len(listed) >= 5 * (name.startswith("README")), "the table names the commands"
        missing = [words for words in [*(words.split() for _, words in called), *listed] if not _exists(words)]
        assert missing == []
