"""A leader whose wall clock is set forward and back: nothing fires twice, nothing is forgotten, nobody is elected."""

from pathlib import Path

import pytest

from tests.faults.competition import Competition, stop
from tests.modules.scheduler.conftest import Ledger

pytestmark = [pytest.mark.timed, pytest.mark.one_database]


class Clocks:
    """Set the clock of competitors, in seconds from the machine's."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.set(0)

    def set(self, seconds: float) -> None:
        """Replace the file as a whole: a competitor may read it at any moment."""
        beside = self.file.with_suffix(".new")
        beside.write_text(str(seconds))
        beside.replace(self.file)


@pytest.fixture
def clocks(tmp_path: Path) -> Clocks:
    """Return the clock that all competitors of a test go by."""
    return Clocks(tmp_path / "clock")


class TestForward:
    def test_by_an_hour_is_one_row_with_its_reason_and_count(
        self, ledger: Ledger, competition: Competition, clocks: Clocks
    ) -> None:
        competition.start(3, declares=["punctual"], clock=clocks.file)
        competition.await_fires(2, "punctual")
        token = ledger.lease().token
        clocks.set(3600)
        ledger.wait(lambda: any(run.fires > 3000 for run in ledger.runs("punctual")))
        competition.await_fires(3, "punctual")
        assert ledger.lease().token == token, "an election compares no wall clock"
        (gap,) = [run for run in competition.audit("punctual") if run.fires > 3000]
        assert (gap.status, gap.attempts) == ("missed", 0)
        assert 3590 <= gap.fires <= 3600
        assert gap.reason.startswith("late by 3")
        assert gap.reason.endswith("grace 5 s")


class TestBack:
    def test_by_ten_minutes_fires_nothing_twice_and_goes_on(
        self, ledger: Ledger, competition: Competition, clocks: Clocks
    ) -> None:
        competition.start(3, clock=clocks.file)
        competition.await_fires(2)
        token = ledger.lease().token
        clocks.set(-600)
        beat = ledger.lease().beat
        ledger.wait(lambda: ledger.lease().beat >= beat + 2)  # a tick may have begun before
        fired = len(ledger.runs("second"))
        ledger.wait(lambda: ledger.lease().beat >= beat + 8, seconds=20)
        assert len(ledger.runs("second")) == fired
        assert ledger.lease().token == token, "an election compares no wall clock"

        clocks.set(0)
        competition.await_fires(3)
        assert ledger.lease().token == token
        competition.audit()

    def test_of_one_process_lasts_until_another_leads(
        self, ledger: Ledger, competition: Competition, clocks: Clocks
    ) -> None:
        slow = competition.start(clock=clocks.file)
        competition.await_fires(2)
        competition.start(2)
        clocks.set(-600)
        beat = ledger.lease().beat
        ledger.wait(lambda: ledger.lease().beat >= beat + 4)
        assert competition.leader == slow
        competition.seconds_to_the_next(lambda: stop(slow))
        competition.await_fires(3)
        competition.audit()
