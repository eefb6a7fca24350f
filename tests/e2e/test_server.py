"""The server's smoke suite: real gunicorn with the shipped configuration, in all three async modes."""

import re
import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest
import requests
import socketio
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from tests.e2e.conftest import ASYNC_MODES, Serve
from tests.e2e.server import PASSWORD, Server
from tests.e2e.viewer import Viewer
from tests.services import fresh_database
from tests.waiting import wait_until

EACH_MODE = pytest.mark.parametrize("async_mode", ASYNC_MODES)


def sign_in(server: Server) -> dict[str, str]:
    """Return the headers of the signed-in admin."""
    answer = requests.post(f"{server.url}/api/v1/auth/login", json={"name": "admin", "password": PASSWORD}, timeout=10)
    assert answer.status_code == 200, answer.text
    return {"Authorization": f"Bearer {answer.json()['data']['token']}"}


class TestHttp:
    def test_lists_blogs(self, served: Server) -> None:
        answer = requests.get(f"{served.url}/api/v1/blog", timeout=10)
        assert (answer.status_code, answer.json()["code"]) == (200, 0)
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"

    def test_signs_in_and_writes(self, served: Server) -> None:
        session = requests.Session()
        session.headers.update(sign_in(served))
        written = session.post(f"{served.url}/api/v1/blog", json={"title": "一", "content": "二"}, timeout=10)
        assert written.status_code == 201, written.text
        read = session.get(f"{served.url}/api/v1/blog/{written.json()['data']['id']}", timeout=10)
        assert read.json()["data"]["title"] == "一"

    def test_refuses_a_wrong_password(self, served: Server) -> None:
        body = {"name": "admin", "password": "not the password"}
        answer = requests.post(f"{served.url}/api/v1/auth/login", json=body, timeout=10)
        assert (answer.status_code, answer.json()["code"]) == (401, "wrong_password")

    def test_serves_files(self, served: Server) -> None:
        answer = requests.get(f"{served.url}/favicon.ico", timeout=10)
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/svg+xml; charset=utf-8")
        assert answer.text.startswith("<svg")

    def test_answers_many_at_once(self, served: Server) -> None:
        with ThreadPoolExecutor(16) as clients:
            answers = list(clients.map(lambda _: requests.get(f"{served.url}/api/v1/tag", timeout=20), range(64)))
        assert {answer.status_code for answer in answers} == {200}

    def test_writes_one_access_line_with_endpoint_and_user(self, served: Server) -> None:
        headers = sign_in(served) | {"X-Request-ID": f"line-of-{time.monotonic_ns()}"}
        requests.get(f"{served.url}/api/v1/auth/me", headers=headers, timeout=10)

        def lines() -> list[str]:
            return [line for line in served.log.read_text().splitlines() if headers["X-Request-ID"] in line]

        wait_until(lines, 5, lambda: "no line")
        (line,) = lines()
        assert "GET /api/v1/auth/me v1.auth.me 200 " in line
        assert " user=admin " in line

    def test_keeps_the_password_out_of_the_log(self, served: Server) -> None:
        token = sign_in(served)["Authorization"].removeprefix("Bearer ")
        for text_written in (served.log.read_text(), served.said()):
            assert PASSWORD not in text_written
            assert token not in text_written


class TestSockets:
    def test_greets_a_viewer_and_sends_memory(self, served: Server) -> None:
        with Viewer(served) as viewer:
            viewer.await_samples(2)
        assert viewer.greetings == [{"data": "连接成功"}]
        assert viewer.samples[0]["data"]["total"] > viewer.samples[0]["data"]["available"] > 0

    def test_serves_http_beside_viewers(self, served: Server) -> None:
        with ExitStack() as stack:
            viewers = [stack.enter_context(Viewer(served)) for _ in range(5)]
            assert requests.get(f"{served.url}/api/v1/blog", timeout=5).status_code == 200
            for viewer in viewers:
                viewer.await_samples(1)

    def test_refuses_a_foreign_origin(self, served: Server) -> None:
        with pytest.raises(socketio.exceptions.ConnectionError):
            Viewer(served, headers={"Origin": "http://evil.example"})

    def test_leaves_no_trace_in_the_log_but_its_line(self, served: Server) -> None:
        with Viewer(served) as viewer:
            viewer.await_samples(1)
        wait_until(lambda: "GET /socket.io/ - 101" in served.log.read_text(), 20, lambda: served.said())
        said = served.said()
        assert "Traceback" not in said, said


class TestScheduler:
    @pytest.mark.timed
    def test_fires_the_sample_job_in_the_runner(self, served: Server) -> None:
        session = requests.Session()
        session.headers.update(sign_in(served))
        served.await_runner()
        wait_until(
            lambda: session.get(f"{served.url}/scheduler", timeout=10).json().get("running"),
            15,
            lambda: f"nobody leads: {served.said()}",
        )
        job = session.get(f"{served.url}/scheduler/jobs/prune-expired-sessions", timeout=10).json()
        asked_at = time.monotonic()
        asked = session.post(f"{served.url}/scheduler/jobs/{job['id']}/run", timeout=10)
        assert asked.status_code == 200, asked.text
        runs = f"{served.url}/scheduler/jobs/{job['id']}/runs"

        def status() -> str:
            listed = session.get(runs, timeout=10).json()
            (run,) = [run for run in listed if run["id"] == asked.json()["run_id"]]
            return str(run["status"])

        wait_until(lambda: status() == "succeeded", 10, status)
        assert time.monotonic() - asked_at < 5

    def test_fires_by_its_schedule_in_the_runner(self, served: Server) -> None:
        session = requests.Session()
        session.headers.update(sign_in(served))
        runner = served.await_runner()
        runs = f"{served.url}/scheduler/jobs/prune-expired-sessions/runs"
        wait_until(lambda: session.get(runs, timeout=10).status_code == 200, 15, served.said)
        earlier = {run["id"] for run in session.get(runs, timeout=10).json()}  # the server may be minutes old
        with closing(sqlite3.connect(served.folder / "application.db", timeout=10)) as database, database:
            database.execute("UPDATE scheduler_job SET next_run_time = ?", (int(time.time() * 1_000_000),))

        def fired() -> list[dict[str, object]]:
            listed = session.get(runs, timeout=10).json()
            return [run for run in listed if run["cause"] == "schedule" and run["id"] not in earlier]

        wait_until(lambda: [run["status"] for run in fired()] == ["succeeded"], 10, lambda: f"{fired()}")
        assert [run["process"] for run in fired()] == [runner.pid]


@pytest.fixture(scope="module")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the URL of a fresh database."""
    with fresh_database("postgresql", tmp_path_factory.mktemp("postgresql")) as url:
        yield url


class TestPostgresql:
    @EACH_MODE
    def test_serves_others_while_a_query_waits(self, server: Serve, postgresql: str, async_mode: str) -> None:
        served = server(async_mode=async_mode, database_url=postgresql)
        engine = create_engine(postgresql)
        with ThreadPoolExecutor(4) as clients, engine.connect() as connection:
            connection.execute(text("LOCK TABLE tag IN ACCESS EXCLUSIVE MODE"))
            stuck = [
                clients.submit(requests.get, f"{served.url}/api/v1/tag", timeout=30)  # waits in the database
                for _ in range(3)
            ]
            time.sleep(0.3)
            started_at = time.monotonic()
            for _ in range(5):
                assert requests.get(f"{served.url}/api/v1/openapi.json", timeout=10).status_code == 200
                assert requests.get(f"{served.url}/api/v1/auth/me", timeout=10).status_code == 401
            took = time.monotonic() - started_at
            assert not any(request.done() for request in stuck), "the lock did not hold the requests up"
            connection.rollback()
            assert {request.result().status_code for request in stuck} == {200}
        engine.dispose()
        assert took < 2

    def test_migrated_by_a_command(self, tmp_path: Path, postgresql: str) -> None:
        status = Server(tmp_path, database_url=postgresql).manage("upgrade")
        assert status.returncode == 0
        assert re.search(r"(has come to|is up to date at) revision \d+\.", status.stdout)
        assert "postgres:" not in status.stdout

    @EACH_MODE
    def test_that_is_away_is_503(self, server: Serve, postgresql: str, async_mode: str) -> None:
        marked = make_url(postgresql)
        if marked.password is None:  # the server asks for none, so any will do
            marked = marked.set(password="mArKeD-pa55word")
        url = marked.render_as_string(hide_password=False)
        served = server(async_mode=async_mode, database_url=url, secret_key="mArKeD-3f9c0a7be1d24856b7f0" * 2)
        with away(postgresql):
            for path in ("/api/v1/tag", "/api/v1/blog?q=hunter2", "/scheduler/jobs"):
                headers = {"Authorization": "Bearer hunter2"}
                answer = requests.get(f"{served.url}{path}", headers=headers, timeout=20)
                assert answer.status_code == 503, answer.text
                assert int(answer.headers["Retry-After"]) > 0
                assert answer.json()["request_id"] == answer.headers["X-Request-ID"]
                for inside in ("Traceback", "psycopg", "postgres", "hunter2", "SELECT", ".py", str(marked.port)):
                    assert inside not in answer.text
        wait_until(served.answers, 20, served.said)
        for text_written in (served.log.read_text(), served.said()):
            assert str(marked.password) not in text_written
            assert "mArKeD" not in text_written
            assert "hunter2" not in re.sub(r"\?q=hunter2", "", text_written)


@contextmanager
def away(postgresql: str) -> Iterator[None]:
    """Let nobody connect to a database meanwhile, and break the connections that there are."""
    url = make_url(postgresql)
    engine = create_engine(url.set(database="postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"ALTER DATABASE {url.database} ALLOW_CONNECTIONS false"))
        try:
            ended = text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name")
            connection.execute(ended, {"name": url.database})
            yield
        finally:
            connection.execute(text(f"ALTER DATABASE {url.database} ALLOW_CONNECTIONS true"))
    engine.dispose()
