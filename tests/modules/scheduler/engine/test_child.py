"""Jobs in processes of their own: killed, crashed, and as good as on a thread."""

import pytest
from flask import Flask

from application.database import execute, transaction
from application.modules.scheduler import business
from application.modules.tag.models import Tag
from tests.modules.scheduler.conftest import Ledger, Node, Start, job, request_run
from tests.modules.scheduler.engine.test_execution import cancel, detail, run_now

POOL = {"executor": "processpool"}
SECONDS = 60
"""How long a process may take to start on a machine with other things to do."""


@pytest.fixture
def pool(node: Start) -> Node:
    """Start a competitor with jobs for a pool of one process."""
    started: Node = node(
        job("tag", "create_a_tag", **POOL),
        job("fail", "create_a_tag_and_fail", **POOL),
        job("say", "say", args=["hello"], **POOL),
        job("compute", "compute", **POOL),
        job("quick", "create_a_tag", timeout=1, **POOL),
        job("slow", "compute", timeout=2, **POOL),
        job("crash", "end_hard", **POOL),
        ticking=True,
    )
    while not started.engine.leads:
        pass
    return started


def end_of(app: Flask, ledger: Ledger, job_id: str) -> business.run.RunDetail:
    """Run a job and return how it ended."""
    ledger.wait(lambda: ledger.job(job_id))
    request_run(app, job_id)
    ledger.wait(lambda: ledger.statuses(job_id)[-1:] not in (["queued"], ["running"]), seconds=SECONDS)
    return detail(app, ledger.runs(job_id)[-1].id)


class TestRun:
    def test_commits_rolls_back_and_tells(self, app: Flask, ledger: Ledger, pool: Node) -> None:
        assert end_of(app, ledger, "tag").status == "succeeded"
        failed = end_of(app, ledger, "fail")
        assert (failed.status, failed.error_type) == ("failed", "ValueError")
        assert "create_a_tag_and_fail" in (failed.history[0].traceback or "")
        with app.app_context(), transaction(write=False):
            assert [row.name for row in execute(Tag.__table__.select())] == ["made by a job"]
        said = end_of(app, ledger, "say")
        assert said.result == {"lines": 1, "at": "2030-01-31"}
        (attempt,) = said.history
        assert attempt.memory_shared is False
        assert attempt.memory_start is not None
        assert attempt.memory_peak is not None
        assert 10_000_000 < attempt.memory_start <= attempt.memory_peak
        with app.app_context(), transaction(write=False):
            text = business.run.read(said.id, after=0).text
        assert "logged hello" in text
        assert "printed hello" in text

    @pytest.mark.one_database
    def test_is_killed_when_it_is_cancelled_or_takes_too_long(self, app: Flask, ledger: Ledger, pool: Node) -> None:
        ledger.wait(lambda: ledger.job("compute"))
        run_id = run_now(app, ledger, "compute")
        cancel(app, run_id)
        ledger.wait(lambda: ledger.statuses("compute") == ["cancelled"], seconds=SECONDS)
        assert detail(app, run_id).reason == "cancelled by root"
        slow = end_of(app, ledger, "slow")
        assert (slow.status, slow.reason) == ("timed_out", "it took longer than 2 s")
        assert end_of(app, ledger, "say").status == "succeeded"  # another process has taken its place

    @pytest.mark.one_database
    def test_has_the_time_for_itself_that_its_process_starts(self, app: Flask, ledger: Ledger, pool: Node) -> None:
        quick = end_of(app, ledger, "quick")  # an interpreter and an application take longer than a second
        assert (quick.status, quick.reason) == ("succeeded", None)

    @pytest.mark.one_database
    def test_does_not_begin_once_it_was_cancelled(self, app: Flask, ledger: Ledger, pool: Node) -> None:
        ledger.wait(lambda: ledger.job("tag"))
        run_id = run_now(app, ledger, "tag")
        cancel(app, run_id)
        ledger.wait(lambda: ledger.statuses("tag") == ["cancelled"], seconds=SECONDS)
        assert end_of(app, ledger, "say").status == "succeeded"
        with app.app_context(), transaction(write=False):
            assert execute(Tag.__table__.select()).all() == []

    @pytest.mark.one_database
    def test_fails_where_the_process_dies_and_others_go_on(self, app: Flask, ledger: Ledger, pool: Node) -> None:
        crashed = end_of(app, ledger, "crash")
        assert crashed.status == "failed"
        assert crashed.error_type == "application.libs.process_pool.ProcessDied"
        assert str(crashed.error_message).startswith("its process ended ")
        assert end_of(app, ledger, "say").status == "succeeded"
