"""Start processes that compete on one database, take them away, and audit what they wrote."""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

from application.config.setting import ROOT
from application.database import transaction
from application.libs.clock import now
from application.libs.trigger import to_micros
from application.modules.scheduler import business
from tests.modules.scheduler.conftest import Ledger

AFTER_KILL_SECONDS = 4.0
AFTER_FREEZE_SECONDS = 6.0
AFTER_STOP_SECONDS = 1.0

Competitor = subprocess.Popen[bytes]


class Watched:
    """Look at a competition through the ledger that it writes."""

    def __init__(self, ledger: Ledger) -> None:
        """Look only."""
        self.ledger = ledger

    def await_fires(self, count: int, job_id: str = "second", *, seconds: float = 30) -> None:
        """Wait until so many instants more have been fired by whoever leads."""
        until = len(self.ledger.runs(job_id)) + count
        self.ledger.wait(lambda: len(self.ledger.runs(job_id)) >= until, seconds)

    def await_success(self, job_id: str = "second", *, seconds: float = 30) -> None:
        """Wait until a run has succeeded whose instant is yet to come."""
        begun = to_micros(now())

        def has_succeeded() -> bool:
            return any(run.status == "succeeded" and run.scheduled_at > begun for run in self.ledger.runs(job_id))

        self.ledger.wait(has_succeeded, seconds)

    def seconds_to_the_next(self, end_the_leader: Callable[[], object]) -> float:
        """Return how long it takes until another process leads."""
        token, started_at = self.ledger.lease().token, time.monotonic()
        end_the_leader()
        self.ledger.wait(lambda: self.ledger.lease().token > token, seconds=20)
        return time.monotonic() - started_at

    def audit(self, job_id: str = "second") -> list[Any]:
        """See that each instant was fired once, that every run has ended, and that what succeeded did so once.

        The unique key lets no instant have two rows. The schedule is paused first, so that there is an end; return the
        runs.
        """
        ledger = self.ledger
        with ledger.app.app_context(), transaction():
            business.cluster.pause(by="root")
        ledger.wait(lambda: not {"queued", "running"} & set(ledger.statuses(job_id)), seconds=30)
        runs = ledger.runs(job_id)
        for before, after in pairwise(runs):
            assert after.scheduled_at == before.scheduled_at + 1_000_000 * before.fires, f"a hole after {before}"
        assert {run.status for run in runs} <= {"succeeded", "skipped", "missed"}
        assert [run for run in runs if run.status != "succeeded" and not run.reason] == []
        succeeded = Counter(each.run_id for each in ledger.attempts(job_id) if each.status == "succeeded")
        assert set(succeeded) == {run.id for run in runs if run.status == "succeeded"}
        assert set(succeeded.values()) == {1}
        return runs


class Competition(Watched):
    """Know the competitors by their pids, and the ledger they write."""

    def __init__(self, ledger: Ledger, directory: Path) -> None:
        """Begin with no competitor."""
        super().__init__(ledger)
        self.processes: dict[int, Competitor] = {}
        self.jobstores: dict[str, Any] = {}
        self.environment: dict[str, str] = {}
        self._url = ledger.app.config["SQLALCHEMY_DATABASE_URI"]
        self._directory = directory

    def start(self, count: int = 1, *, declares: Iterable[str] = ("second",), clock: Path | None = None) -> Competitor:
        """Start so many, which begin at the same moment, once all can; return the last one."""
        command = [sys.executable, "-m", "tests.faults.competitor", self._url, str(self._directory)]
        options = ["--declares", *declares, *([] if clock is None else ["--clock", str(clock)])]
        options += ["--jobstores", json.dumps(self.jobstores)]
        started: list[Competitor] = []
        for _number in range(count):
            started.append(
                subprocess.Popen(
                    [*command, *options],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    cwd=ROOT,
                    env={**os.environ, **self.environment},
                )
            )
            self.processes[started[-1].pid] = started[-1]
        for process in started:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n", f"a competitor ended with {process.wait(10)}"
        for process in started:
            assert process.stdin is not None
            process.stdin.write(b"go\n")
            process.stdin.flush()
        return started[-1]

    @property
    def leader(self) -> Competitor:
        """Return the process that leads."""
        return self.processes[self.ledger.lease().process]

    def end(self) -> None:
        """Ask all to stop, and leave none behind."""
        for process in self.processes.values():
            stop(process)
        for process in self.processes.values():
            with suppress(subprocess.TimeoutExpired):
                process.wait(10)
            process.kill()
            process.wait(10)
            if process.stdout is not None:
                process.stdout.close()

    def audit(self, job_id: str = "second") -> list[Any]:
        """See, too, that nobody else ran anything."""
        runs = super().audit(job_id)
        assert {run.process for run in runs if run.process} <= set(self.processes)
        return runs


def stop(process: Competitor) -> None:
    """Ask a competitor to stop, as its supervisor does."""
    if process.stdin is not None:
        with suppress(BrokenPipeError):
            process.stdin.close()
