"""What `make bench-growth` says is so: pages are the ones that are named, every question is answered, plots repeat."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from benchmarks import data, growth_blogs, growth_routes, in_process
from benchmarks.contestant import CONTESTANTS, Contestant, Place
from benchmarks.driving import ask
from benchmarks.growth import PEER, QUESTIONS
from benchmarks.growth_load import LoadRun, told
from benchmarks.growth_table import Column, Figure, long, wide
from benchmarks.load import Load
from tests.e2e.server import ROOT

pytestmark = pytest.mark.one_database

PEERS_PYTHON = ROOT / ".venv-bench/bin/python"
FIGURES = [
    *(Figure("one", 10, {"speed": 200.0, "wait": 1.0}), Figure("page", 10, {"speed": 50.0, "wait": 4.0})),
    *(Figure("one", 1_000, {"speed": 300.0, "wait": 9.25}),),
]
MOST_BYTES = 60_000
CELLS = ("GET one blog", "GET a page of 20")


@pytest.fixture(scope="module")
def hundred() -> Iterator[Flask]:
    with in_process.application(100) as app:
        yield app


def read(app: Flask, number: int) -> dict[str, Any]:
    status, body = ask(app.wsgi_app, growth_blogs.page_call(100, number))
    assert status == 200
    found: dict[str, Any] = json.loads(body)
    return found


class TestPages:
    def test_are_reached_by_the_cursors_that_walking_gives(self, hundred: Flask) -> None:
        followed = None
        for number in range(1, growth_blogs.pages(100) + 1):
            call, answer = growth_blogs.page_call(100, number), read(hundred, number)
            assert [item["id"] for item in answer["data"]] == growth_blogs.page_ids(100, number)
            assert followed is None or f"after={followed}" in call.query
            followed = answer["page"]["next"]
        assert followed is None

    def test_are_as_deep_as_rows_allow(self) -> None:
        assert [growth_blogs.deep(blogs) for blogs in (100, 100_000, 1_000_000)] == [5, 5_000, 10_000]
        assert growth_blogs.page_ids(1_000_000, 10_000)[0] == data.blog_id(999_999 - 199_980)

    def test_of_the_middle_lie_between_the_quarters(self) -> None:
        numbers = {growth_blogs.middle(1_000, turn) for turn in range(100)}
        assert (min(numbers), max(numbers), len(numbers)) == (13, 37, 25)


class TestBlogs:
    def test_are_measured_by_size(self, tmp_path: Path) -> None:
        said: list[str] = []
        figures = growth_blogs.measure([100, 200], 1, tmp_path, said.append)
        asked = {(look.title, blogs) for look in growth_blogs.LOOKS for blogs in (100, 200)}
        assert {(figure.series, figure.at) for figure in figures} == asked
        assert all(figure.values["microseconds"] > 0 for figure in figures)
        assert any(text.startswith("200 of 200 blogs written") for text in said)

    def test_are_refused_when_others_are_answered(self, hundred: Flask) -> None:
        with pytest.raises(in_process.WrongAnswer, match="of 200 blogs: 404"):
            growth_blogs.check(hundred, 200)

    def test_are_written_in_units_and_counted_aloud(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(data, "_UNIT", 40)
        told: list[int] = []
        with in_process.application(100, tmp_path, told.append) as app:
            assert told == [40, 80, 100]
            assert read(app, 5)["page"]["next"] is None


class TestRoutes:
    def test_are_measured_by_their_number(self, tmp_path: Path) -> None:
        figures = growth_routes.measure([0, 5], 1, tmp_path, lambda _text: None)
        assert [figure.at for figure in figures] == [0, 5]
        assert all(value > 0 for figure in figures for value in figure.values.values())

    def test_are_refused_when_they_are_others(self, hundred: Flask) -> None:
        with pytest.raises(in_process.WrongAnswer, match="with 5 routes more"):
            growth_routes.check(hundred, 5)


class TestTold:
    def test_is_the_best_round_beside_the_median(self) -> None:
        loads = [
            Load(requests, 2_000_000, p50=900, p99=p99) for requests, p99 in ((200, 9_000), (600, 4_000), (400, 1))
        ]
        assert told(loads) == {"per_second": 300.0, "median": 200.0, "p50": 0.9, "p99": 4.0}


class InDevelopment(Contestant):
    """Serve what is measured; production itself would refuse a database in a temporary folder."""

    def environment(self, place: Place) -> Mapping[str, str]:
        return {**super().environment(place), **({"ENVIRONMENT": "development"} if self.is_ours else {})}


@pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk makes the load, and is not installed")
class TestLoads:
    @pytest.mark.timeout(240)
    def test_are_measured_by_connections_and_workers(self, tmp_path: Path) -> None:
        names = {"Redprint", *([PEER] if PEERS_PYTHON.exists() else [])}
        chosen = [InDevelopment(**vars(one)) for one in CONTESTANTS if one.name in names]
        run = LoadRun(chosen, [1, 2], [1, 2], 1, 1, tmp_path, PEERS_PYTHON, Path(sys.executable), lambda _text: None)
        run.measure("sqlite")
        expected = sorted((f"{name}: {cell}", at) for name in names for cell in CELLS for at in (1, 2))
        for figures in (run.by_connections(), run.by_workers()):
            assert sorted((figure.series, figure.at) for figure in figures) == expected
            assert all(figure.values["per_second"] > 0 for figure in figures)


class TestTables:
    def test_tell_ratios_to_the_smallest(self) -> None:
        assert wide(FIGURES, Column("speed", ""), "asked", "rows").splitlines()[0] == "| asked | 10 rows | 1,000 rows |"
        assert wide(FIGURES, Column("speed", ""), "asked", "rows").splitlines()[2:] == [
            "| one | 200 (1.00) | 300 (1.50) |",
            "| page | 50 (1.00) | – |",
        ]

    def test_tell_several_values_of_each_size(self) -> None:
        columns = [Column("speed", "req/s"), Column("wait", "ms", ".1f", has_ratio=False)]
        assert long(FIGURES, columns, "", "rows").splitlines() == [
            "|  | rows | req/s | ms |",
            "| --- | ---: | ---: | ---: |",
            "| one | 10 | 200 (1.00) | 1.0 |",
            "| one | 1,000 | 300 (1.50) | 9.2 |",
            "| page | 10 | 50 (1.00) | 4.0 |",
        ]


def run_module(python: Path | str, module: str, *options: object) -> subprocess.CompletedProcess[str]:
    command = [str(python), "-m", module, *map(str, options)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=100)


class TestCommand:
    def test_prints_a_table_a_question_and_keeps_the_figures(self, tmp_path: Path) -> None:
        file = tmp_path / "new" / "growth.json"
        sizes = ("--blogs", "100,200", "--routes", "0,5", "--questions", "blogs,routes", "--rounds", 1)
        done = run_module(sys.executable, "benchmarks.growth", *sizes, "--folder", tmp_path, "--json", file)
        assert done.returncode == 0, done.stderr
        assert [line for line in done.stdout.splitlines() if line.startswith("#")] == ["### Blogs", "### Routes"]
        kept = json.loads(file.read_text())
        assert (list(kept), {point["at"] for point in kept["blogs"]}) == (["machine", "blogs", "routes"], {100, 200})

    def test_refuses_fewer_blogs_than_two_pages(self) -> None:
        done = run_module(sys.executable, "benchmarks.growth", "--blogs", "20")
        assert (done.returncode, "40 is the least" in done.stderr) == (2, True)


@pytest.fixture
def figures(tmp_path: Path) -> Path:
    values = {"microseconds": 200.0, "per_second": 3_000.0, "p50": 0.4, "p99": 12.0, "seconds": 0.05}
    points = [{"series": "GET one", "at": at, "values": values} for at in (1, 10, 100)]
    file = tmp_path / "growth.json"
    file.write_text(json.dumps({"machine": "a machine", **dict.fromkeys(QUESTIONS, points)}))
    return file


class TestPlotting:
    def test_draws_the_same_bytes_from_the_same_figures(self, figures: Path, tmp_path: Path) -> None:
        if not PEERS_PYTHON.exists():
            pytest.skip("what draws is not installed: make bench-growth")
        drawn = []
        for folder in (tmp_path / "first", tmp_path / "second"):
            done = run_module(PEERS_PYTHON, "benchmarks.plotting", figures, "--folder", folder)
            assert done.returncode == 0, done.stderr
            drawn.append({path.name: path.read_bytes() for path in folder.iterdir()})
        assert set(drawn[0]) == {f"{question}.svg" for question in QUESTIONS}
        assert drawn[0] == drawn[1]
        assert max(map(len, drawn[0].values())) < MOST_BYTES
        assert b"dc:date" not in b"".join(drawn[0].values())

    def test_says_where_it_can_draw(self, figures: Path, tmp_path: Path) -> None:
        done = run_module(sys.executable, "benchmarks.plotting", figures, "--folder", tmp_path / "drawn")
        assert (done.returncode, "`make bench-growth` installs it" in done.stderr) == (1, True), done.stderr
        assert not (tmp_path / "drawn").exists()

    def test_says_where_figures_come_from(self, tmp_path: Path) -> None:
        if not PEERS_PYTHON.exists():
            pytest.skip("what draws is not installed: make bench-growth")
        done = run_module(PEERS_PYTHON, "benchmarks.plotting", tmp_path / "absent.json")
        assert (done.returncode, "`make bench-growth` measures and writes it" in done.stderr) == (2, True)


class TestDrawings:
    @pytest.mark.parametrize("question", QUESTIONS)
    def test_are_committed_small_and_shown(self, question: str) -> None:
        assert (ROOT / f"docs/growth/{question}.svg").stat().st_size < MOST_BYTES
        assert f"(growth/{question}.svg)" in (ROOT / "docs/performance.md").read_text(encoding="utf-8")
