import json
import logging
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from werkzeug.serving import make_server

from application.config import logging as logs
from application.config.setting import ROOT, Settings, SettingsRefused, load_settings
from application.libs.edge import REQUEST_ID
from application.libs.redaction import Redaction
from application.libs.run_output import OutputTap
from tests.mail_server import Mailbox, mail_server

LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z [A-Z]+ \S+ \[\S+\] .*")

LOGGER = logging.getLogger("specimen.log")

Configure = Callable[..., Path]


def settings(folder: Path, **overrides: object) -> Settings:
    return load_settings(environment="testing", log_directory=folder / "logs", _env_file=None, **overrides)


@pytest.fixture
def configure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Configure]:
    """Return a function that sets logging up and names the file; it is taken back afterwards.

    What another test's application has configured stays beside it.
    """
    monkeypatch.setattr(logs, "_INSTALLED", logs._Installed())
    REQUEST_ID.set("-")  # an answer that another test never closed would still have its own here

    def make(**overrides: object) -> Path:
        logs.configure(settings(tmp_path, **overrides))
        return tmp_path / "logs" / "application.log"

    yield make
    logs.reset()


class TestConfigure:
    def test_writes_a_line_with_the_request_s_id(self, configure: Configure) -> None:
        file = configure()
        token = REQUEST_ID.set("r-7")

        LOGGER.info("连接成功 %s", 5)

        REQUEST_ID.reset(token)
        assert LINE.fullmatch(file.read_text().rstrip("\n"))
        assert file.read_text().endswith(" INFO specimen.log [r-7] 连接成功 5\n")

    def test_keeps_to_the_level(self, configure: Configure) -> None:
        file = configure(log_level="WARNING")

        LOGGER.info("less")
        LOGGER.warning("more")

        assert [line.rpartition(" ")[2] for line in file.read_text().splitlines()] == ["more"]

    def test_keeps_a_hostile_name_on_one_line(self, configure: Configure) -> None:
        file = configure()

        LOGGER.info("user %s", "ann\n2026-01-01T00:00:00.000Z INFO fake [-] \x1b[2J\u2028\ud800")

        (line,) = file.read_text().split("\n")[:-1]
        assert line.isprintable()
        assert r"ann\n2026-01-01T00:00:00.000Z INFO fake [-] \u001b[2J\u2028\ud800" in line

    def test_sets_a_traceback_apart_from_records(self, configure: Configure) -> None:
        file = configure()

        try:
            raise ValueError("bad\n2026-01-01T00:00:00.000Z INFO fake [-] forged\x1b")
        except ValueError:
            LOGGER.exception("It broke", stack_info=True)

        first, *rest = file.read_text().splitlines()
        assert LINE.fullmatch(first)
        assert len(rest) > 3
        assert all(line.startswith("    | ") for line in rest)
        assert any("fake [-] forged\\u001b" in line for line in rest)

    @pytest.mark.parametrize("log_format", ["text", "json"])
    def test_hides_secrets_also_in_tracebacks(self, configure: Configure, log_format: str) -> None:
        secrets = {"secret_key": "k" * 20 + "0123456789abcdef", "admin_password": "correct-horse"}
        file = configure(log_format=log_format, database_url="postgresql://web:db-p4ss@h/n", **secrets)

        LOGGER.warning("key %s, header %s", secrets["secret_key"], {"Authorization": "Bearer 0123456789"})
        LOGGER.warning("signed in", extra={"user_password": "tiger-lily", "body": "password=tiger-lily", "at": 5})
        try:
            raise ConnectionError("cannot reach postgresql://web:db-p4ss@h/n with correct-horse")
        except ConnectionError:
            LOGGER.exception("failed for password='tiger-lily'")

        text = file.read_text()
        for secret in (*secrets.values(), "0123456789", "tiger-lily", "db-p4ss"):
            assert secret not in text
        assert "cannot reach postgresql" in text

    def test_writes_objects_for_machines(self, configure: Configure) -> None:
        file = configure(log_format="json")

        LOGGER.info('a "quoted"\nline \x7f\ud800\U000e0001', extra={"blog": 7, "api_key": "abc"})
        try:
            raise ValueError("bad")
        except ValueError:
            LOGGER.exception("It broke")

        lines = file.read_text().splitlines()
        assert all(line.isprintable() for line in lines)
        first, second = map(json.loads, lines)
        assert first["message"] == 'a "quoted"\nline \x7f\ud800\U000e0001'
        assert first["extra"] == {"blog": "7", "api_key": "***"}
        assert (first["level"], first["logger"], first["request_id"]) == ("INFO", "specimen.log", "-")
        assert second["exception"].endswith("ValueError: bad")
        assert "extra" not in second

    @pytest.mark.usefixtures("configure")
    def test_survives_a_call_with_wrong_arguments(self) -> None:
        record = logging.makeLogRecord({"name": "x", "levelname": "INFO", "msg": "%d of", "args": ("a", "b")})

        assert logs.TextFormatter(Redaction()).format(record).endswith("INFO x [-] %d of ('a', 'b')")

    def test_rotates_at_the_size_asked_for(self, configure: Configure) -> None:
        file = configure(log_max_bytes=4096, log_backups=2)

        for number in range(300):
            LOGGER.info("line %s", number)

        names = sorted(path.name for path in file.parent.glob("application.log*"))
        assert names == ["application.log", "application.log.1", "application.log.2"]

    @pytest.mark.usefixtures("configure")
    def test_refuses_a_folder_it_cannot_write(self, tmp_path: Path) -> None:
        (tmp_path / "logs").touch()

        with pytest.raises(SettingsRefused, match="LOG_DIRECTORY"):
            logs.configure(settings(tmp_path))

    def test_leaves_no_trace_when_it_is_taken_back(self, configure: Configure) -> None:
        root, quiet = logging.getLogger(), logging.getLogger("apscheduler")
        before = (root.level, list(root.handlers), quiet.level, list(logging.getLogger("werkzeug").filters))

        for _ in range(3):
            file = configure(log_level="DEBUG")
        LOGGER.info("once")

        assert file.read_text().count("once") == 1
        assert [type(handler) for handler in root.handlers[len(before[1]) :]] == [logs.FileHandler, OutputTap]
        logs.reset()
        logs.reset()
        assert (root.level, root.handlers, quiet.level, logging.getLogger("werkzeug").filters) == before
        LOGGER.warning("after")
        assert "after" not in file.read_text()

    def test_quiets_those_who_tell_every_step(self, configure: Configure) -> None:
        file = configure()

        logging.getLogger("apscheduler.executors").info("every two seconds")
        logging.getLogger("engineio.server").warning("odd")

        assert [line.rpartition(" ")[2] for line in file.read_text().splitlines()] == ["odd"]

    @pytest.mark.parametrize("name", ["engineio.server", "socketio.server"])
    def test_takes_no_stranger_s_socket_for_an_error(self, configure: Configure, name: str) -> None:
        file = configure()

        logging.getLogger(name).error("http://evil.example is not an accepted origin.")

        assert f" WARNING {name} [-] http://evil.example" in file.read_text()
        logs.reset()
        assert logging.getLogger(name).filters == []


class TestConsole:
    @pytest.mark.usefixtures("configure")
    def test_shows_lines_in_development(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        write = logs.configure(
            load_settings(environment="development", secret_key="k" * 40, log_directory=tmp_path, _env_file=None)
        )

        LOGGER.info("hello")
        write(b"an access line\n")

        assert capsys.readouterr().err.splitlines()[1:] == ["an access line"]
        assert (tmp_path / "application.log").read_text().count("\n") == 2

    def test_is_silent_elsewhere(self, configure: Configure, capsys: pytest.CaptureFixture[str]) -> None:
        configure()

        LOGGER.info("hello")
        logs.write_line(b"an access line\n")

        assert capsys.readouterr().err == ""


class TestWriteLine:
    def test_shares_the_file_with_the_log(self, configure: Configure) -> None:
        file = configure()

        LOGGER.info("one")
        logs.write_line(b"two\n")

        assert [line.rpartition(" ")[2] for line in file.read_text().splitlines()] == ["one", "two"]

    def test_writes_nothing_where_nothing_is_configured(self, configure: Configure) -> None:
        file = configure()
        logs.reset()

        logs.write_line(b"lost\n")

        assert file.read_text() == ""


class TestServers:
    def test_development_server_writes_no_request_lines_of_its_own(self, configure: Configure) -> None:
        file = configure()
        server = make_server("127.0.0.1", 0, lambda _environ, start: (start("200 OK", []), [b""])[1])
        thread = threading.Thread(target=server.handle_request)
        thread.start()

        subprocess.run(
            [sys.executable, "-c", f"import requests; requests.get('http://127.0.0.1:{server.port}/?token=s3cret')"],
            check=True,
        )
        thread.join()
        server.server_close()
        server.log("info", "something else")

        assert "s3cret" not in file.read_text()
        assert "something else" in file.read_text()

    def test_gunicorn_s_errors_come_too(self, configure: Configure) -> None:
        gunicorn = logging.getLogger("gunicorn.error")
        gunicorn.propagate = False
        file = configure()

        gunicorn.error("Error handling request")
        logs.reset()
        gunicorn.propagate = True

        assert file.read_text().count("Error handling request") == 1
        assert gunicorn.handlers == []


class TestMail:
    def test_goes_out_masked(self, configure: Configure) -> None:
        mailbox = Mailbox()
        with mail_server(mailbox) as port:
            file = configure(
                error_mail_to="ann@example.org", mail_server="127.0.0.1", mail_port=port, log_format="json"
            )

            LOGGER.error("failed with password=tiger-lily\nSubject: forged")

            (mail,) = mailbox.wait(1)
            logs.reset()
        assert mail["Subject"].strip() == r"[redprint] ERROR specimen.log [-] failed with password=***\nSubject: forged"
        assert mail["To"] == "ann@example.org"
        assert "tiger-lily" not in mail.get_content()
        assert "tiger-lily" not in file.read_text()
        assert not any(thread.name == "error-mail" for thread in threading.enumerate())

    def test_of_a_process_that_dies_at_once_is_sent(self, tmp_path: Path) -> None:
        mailbox = Mailbox()
        with mail_server(mailbox) as port:
            program = (
                "import logging; from application.config.logging import configure; "
                "from application.config.setting import load_settings; from pathlib import Path; "
                f"configure(load_settings(environment='testing', log_directory=Path({str(tmp_path)!r}), "
                f"error_mail_to='ann@example.org', mail_server='127.0.0.1', mail_port={port})); "
                "logging.getLogger('x').critical('the last words'); raise SystemExit(3)"
            )

            done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, timeout=60, check=False)

        assert done.returncode == 3
        assert "the last words" in mailbox.mails[0]["Subject"]
