"""What `make bench` says is so: the rows are what is asked for, wrong answers are found, figures are read as told."""

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from application.database import execute, transaction
from application.libs.auth import Credentials
from application.modules.auth.business import identify
from application.modules.blog import business as blogs
from application.modules.blog.models import Blog, BlogTag
from application.modules.throttle.business import LOGIN_ADDRESS
from benchmarks import data, in_process, web
from benchmarks.cell import BEARER, CELLS, WORD, blog_body
from benchmarks.checks import Examiner, WrongAnswer
from benchmarks.contestant import CONTESTANTS, PACKAGES, Contestant, Place
from benchmarks.driving import Call, ask
from benchmarks.goals import SPEEDS, of_goals
from benchmarks.importing import measure_import
from benchmarks.load import LoadFailed, read_output
from benchmarks.master import KINDS, Master, master
from benchmarks.serving import serving
from benchmarks.table import Figure, Start, markdown, of_cell, of_starts
from tests.applications import migrated
from tests.e2e.server import ROOT, Server
from tests.port import free_port
from tests.services import DATABASES, fresh_database

OURS = CONTESTANTS[0]
PEERS_PYTHON = ROOT / ".venv-bench/bin/python"
FEW = 300


class TestFill:
    @pytest.mark.parametrize("kind", [kind for kind in DATABASES if kind in KINDS])
    def test_writes_what_is_foreseen(self, kind: str, tmp_path: Path) -> None:
        with fresh_database(kind, tmp_path) as url, migrated(url, tmp_path) as app, app.app_context():
            data.fill(FEW)
            with transaction(write=False):
                counted = [
                    execute(sa.select(sa.func.count()).select_from(table)).scalar_one() for table in (Blog, BlogTag)
                ]
                blog = blogs.get(data.blog_id(123), viewer_id=None)
                caller = identify(Credentials("bearer", data.TOKEN))
                found = blogs.search(viewer_id=None, limit=100, q=f"{WORD} 00000")
        assert counted == [FEW, FEW * data.TAGS_A_BLOG]
        assert (blog.title, blog.content) == (data.title(123), data.content(123))
        assert blog.owner.name == data.user_name(data.owner(123))
        assert sorted(tag.name for tag in blog.tags) == sorted(f"tag{tag:03d}" for tag in data.tags(123))
        assert caller is not None
        assert (caller.user_id, "blog:write" in caller.permissions) == (data.user_id(0), True)
        assert [item.id for item in found.items] == [data.blog_id(0)]


class TestReadOutput:
    TOLD = 'Running 2s test\nFIGURES {"requests": 600, "microseconds": 2000000, "p50": 900, "p99": 4000, '

    def test_reads_what_the_script_tells(self) -> None:
        load = read_output(self.TOLD + '"refused": 0, "broken": 0}\n')
        assert (load.requests, load.per_second, load.p50, load.p99) == (600, 300.0, 900, 4000)

    @pytest.mark.parametrize("rest", ['"refused": 3, "broken": 0}', '"refused": 0, "broken": 1}'])
    def test_refuses_a_load_that_was_not_answered_well(self, rest: str) -> None:
        with pytest.raises(LoadFailed, match="of 600 requests"):
            read_output(self.TOLD + rest)

    @pytest.mark.parametrize("text", ["", "unable to connect to 127.0.0.1:1 Connection refused\n"])
    def test_says_what_wrk_said_instead(self, text: str) -> None:
        with pytest.raises(LoadFailed, match="told no figures"):
            read_output(text)


class TestTables:
    FIGURES = (
        *(Figure("ours", "one", 1, 4000.0, 100.0, 1.0, 5.0), Figure("ours", "one", 2, 2000.0, 120.0, 2.0, 7.0)),
        *(Figure("other", "one", 1, 1000.0, 330.0, 9.0, 50.0), Figure("other", "one", 2, 500.0, 330.0, 9.0, 50.0)),
    )

    def test_tell_best_medians_and_ratios(self) -> None:
        lines = of_cell(self.FIGURES, ["ours", "other", "absent"], "ours").splitlines()
        assert lines[2] == "| ours | 4,000 | 3,000 | 1.00 | 1.00 | 110 | 1.00 | 1.5 | 6.0 |"
        assert lines[3] == "| other | 1,000 | 750 | 4.00 | 4.00 | 330 | 3.00 | 9.0 | 50.0 |"
        assert lines[4] == "| absent" + " | –" * 8 + " |"

    def test_tell_no_ratio_to_who_was_not_measured(self) -> None:
        line = of_cell(self.FIGURES[2:], ["other"], "ours").splitlines()[2]
        assert line == "| other | 1,000 | 750 | – | – | 330 | – | 9.0 | 50.0 |"

    def test_tell_how_servers_start(self) -> None:
        starts = [Start("ours", number, seconds, 80.0) for number, seconds in enumerate((1.0, 1.2, 3.0))]
        lines = of_starts(starts, {"ours": "gunicorn", "other": "uvicorn"}).splitlines()
        assert lines[2:] == ["| ours | gunicorn | 1.20 | 80 |", "| other | uvicorn | – | – |"]

    def test_have_a_column_for_each_header(self) -> None:
        assert markdown(("", "a"), [("b", "1")]) == "|  | a |\n| --- | ---: |\n| b | 1 |"


class TestCells:
    def test_send_requests_of_one_line(self) -> None:
        requests = [request for cell in CELLS for request in cell.requests()]
        assert [part for request in requests for part in request if "\t" in part or "\n" in part] == []

    def test_log_nobody_in_twice_at_once(self) -> None:
        login = next(cell for cell in CELLS if cell.key == "login")
        assert 2 * login.connections < LOGIN_ADDRESS.most < len({body for _path, body in login.requests()})


class TestPackages:
    def test_are_pinned(self) -> None:
        pinned = set(re.findall(r"^([\w-]+)(?:\[\w+\])?==", (ROOT / "benchmarks/requirements.txt").read_text(), re.M))
        assert set(PACKAGES) <= pinned


@pytest.fixture(scope="module")
def filled_app() -> Iterator[Flask]:
    with in_process.application(5_000) as app:
        yield app


def _liar(_environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    start_response("200 OK", [])
    return [b"{}"]


class TestOfGoals:
    def test_tells_what_is_reached_and_what_is_not(self) -> None:
        figures = [
            Figure("ours", "one", 1, 5000, 300, 5, 10),
            Figure("ours", "one", 2, 4000, 300, 5, 30),
            Figure("FastAPI, ORM", "one", 1, 1000, 1500, 20, 15),
            Figure("Litestar, msgspec", "one", 1, 2500, 700, 10, 25),
            Figure("ours", "page", 1, 2000, 600, 5, 10),
            Figure("ours", "known", 1, 4000, 330, 5, 10),
        ]
        lines = of_goals(figures, [Start("ours", 1, 1.2, 100)], "ours").splitlines()[2:]
        assert lines == [
            "| GET one blog, requests a second to FastAPI, ORM | ≥ 5.0 | 5.00 | yes |",
            "| GET one blog, requests a second to Litestar, msgspec | ≥ 2.4 | 2.00 | no |",
            "| GET one blog, p99 to FastAPI, ORM, ms | ≤ 15.0 | 20.0 | no |",
            "| GET one blog, p99 to Litestar, msgspec, ms | ≤ 25.0 | 20.0 | yes |",
            "| 304 of a known page, CPU of the page's | < 0.5 | 0.55 | no |",
            "| first answer after a start, s | < 1.5 | 1.20 | yes |",
        ]

    def test_names_peers_and_cells_that_there_are(self) -> None:
        assert {goal.peer for goal in SPEEDS} <= {contestant.name for contestant in CONTESTANTS}
        assert {goal.cell for goal in SPEEDS} <= {cell.key for cell in CELLS}


class TestMeasureImport:
    def test_tells_seconds_and_megabytes(self) -> None:
        cost = measure_import(Path(sys.executable), times=1)
        assert 0.1 < cost.seconds < 60
        assert 30 < cost.megabytes < 1000


class TestReadArguments:
    def test_refuse_a_folder_where_production_keeps_no_database(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr("sys.argv", ["benchmarks.web", "--folder", str(tmp_path)])
        with pytest.raises(SystemExit):
            web.read_arguments()
        assert "is temporary, and production keeps no database there: name another --folder" in capsys.readouterr().err

    def test_takes_paths_of_this_folder_for_servers_of_other_folders(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        assert web.whole_path(".venv-bench/bin/python") == tmp_path / ".venv-bench/bin/python"


@pytest.mark.one_database
class TestInProcess:
    def test_measures_both_sides_of_each_task(self, filled_app: Flask) -> None:
        costs = in_process.measure(filled_app, rounds=1, requests=3)
        assert [cost.title for cost in costs] == [*(task.title for task in in_process.TASKS), in_process.KNOWN]
        assert all(cost.ours > 0 and cost.bare > 0 for cost in costs), costs
        assert in_process.report(costs).count("\n") == 1 + len(costs)

    def test_refuses_a_side_that_answers_otherwise(self, filled_app: Flask) -> None:
        task = in_process.TASKS[0]
        with pytest.raises(in_process.WrongAnswer, match="GET one"):
            in_process.check(task, filled_app.wsgi_app, _liar)

    def test_names_each_cost_above_its_limit(self) -> None:
        good = [in_process.Cost(title, [(100 * limit, 100)]) for title, limit in in_process.LIMITS.items()]
        assert in_process.excess(good) == []
        bad = [in_process.Cost("GET one", [(200, 100), (900, 450), (5, 1)]), *good[1:]]
        assert in_process.excess(bad) == ["GET one costs 2.00 times the bare view, more than 1.10"]
        assert in_process.excess(in_process.lower(bad, good)) == []

    def test_refuses_nobody_for_asking_often(self, filled_app: Flask) -> None:
        call = Call("/api/v1/blog", "POST", body=blog_body().encode(), headers=BEARER)
        assert {ask(filled_app.wsgi_app, call)[0] for _time in range(130)} == {201}


class Generous(Server):
    """Serve what is measured; production itself would refuse a database in a temporary folder."""

    def command(self) -> list[str]:
        return [sys.executable, "-m", "gunicorn", "benchmarks.ours:load_app()"]


@pytest.fixture(scope="module", params=[kind for kind in DATABASES if kind in KINDS])
def filled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Master]:
    with master(request.param, tmp_path_factory.mktemp("filled")) as made:
        yield made


class TestExaminer:
    @pytest.mark.timeout(180)
    def test_finds_ours_right_and_what_has_changed_wrong(self, filled: Master, tmp_path: Path) -> None:
        with filled.copied() as url:
            server = Generous(tmp_path, database_url=url, rate_limits_enabled=1)
            server.start()
            try:
                Examiner(OURS, f"{server.url}/api/v1").examine()
                with pytest.raises(WrongAnswer, match="the newest page"):
                    Examiner(OURS, f"{server.url}/api/v1").check_pages()
                with pytest.raises(WrongAnswer, match="is answered 404 instead of 200"):
                    Examiner(OURS, server.url).check_one()
            finally:
                server.stop()

    @pytest.mark.parametrize("contestant", CONTESTANTS[1:], ids=lambda contestant: contestant.name)
    def test_finds_each_peer_right(self, contestant: Contestant, filled: Master, tmp_path: Path) -> None:
        if not PEERS_PYTHON.exists():
            pytest.skip("the peers' packages are not installed: make bench")
        with filled.copied() as url:
            place = Place(free_port(), url, tmp_path / "server", PEERS_PYTHON)
            with serving(contestant, place) as server:
                server.await_answer()
                Examiner(contestant, server.url).examine()
