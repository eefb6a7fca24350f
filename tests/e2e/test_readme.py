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

README = Path(__file__).parents[2] / "README.md"
DOCUMENTS = ("README.md", "README.zh-CN.md", "docs/architecture.md", "CONTRIBUTING.md")

EXAMPLES = {
    name: (language, code)
    for name, language, code in re.findall(
        r"<!-- example: (\w+) -->\n```(\w+)\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL
    )
}
INTERPRETERS = {"bash": ["bash", "-euo", "pipefail", "-c"], "python": [sys.executable, "-c"]}


def _run(name: str, server: Server) -> str:
    language, code = EXAMPLES[name]
    result = subprocess.run(
        [*INTERPRETERS[language], code],
        env={**os.environ, "BASE": server.url, "ADMIN_PASSWORD": PASSWORD},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def _answers(output: str) -> list[Any]:
    """Return the JSON documents that curl printed one behind the other."""
    decoder, position = json.JSONDecoder(), 0
    answers: list[Any] = []
    while position < len(output):
        answer, position = decoder.raw_decode(output, position)
        answers.append(answer)
    return answers


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
        assert set(EXAMPLES) == {"api", "browser", "scheduler", "socket"}

    def test_api_example_writes_and_reads_a_blog(self, ready: Server) -> None:
        written, listed = _answers(_run("api", ready))
        assert written["data"]["title"] == "Hello"
        assert listed["page"]["total"] == 1

    def test_scheduler_example_runs_a_job(self, ready: Server) -> None:
        info, jobs, run = _answers(_run("scheduler", ready))
        assert "running" in info
        assert "prune-expired-tokens" in [job["id"] for job in jobs]
        assert run["run_id"]

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
    def test_commands_of_the_manager_exist(self, name: str) -> None:
        text = (README.parent / name).read_text(encoding="utf-8")
        called = re.findall(r"(?<![\w/.])(\S*python[\d.]*) manager\.py((?: [a-z][\w-]*)*)", text)
        assert [interpreter for interpreter, _ in called if interpreter.lstrip("`") != ".venv/bin/python"] == []
        rest = [row for row in text.splitlines() if row.startswith("| `.venv/bin/python manager.py --help`")]
        listed = [[word] for row in rest for word in re.findall(r"`([a-z][\w-]*)`", row)]
        assert len(listed) >= 5 * (name.startswith("README")), "the table names the commands"
        missing = [words for words in [*(words.split() for _, words in called), *listed] if not _exists(words)]
        assert missing == []
