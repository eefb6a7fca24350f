"""Rows that nobody should have written: they stop nobody, and nothing in them is run."""

import pytest
import sqlalchemy as sa
from flask import Flask

from application.database import transaction
from application.libs import clock
from application.libs.trigger import to_micros
from application.modules.scheduler import business
from application.modules.scheduler.models import Job, Run
from tests.modules.scheduler.conftest import Ledger, Start, job, request_run


class TestHostileRows:
    @pytest.mark.parametrize(
        "definition",
        [
            "",
            "no JSON",
            "[]",
            "{}",
            "[" * 5000,
            '{"format":2}',
            "gASVIAAAAAAAAACMBXBvc2l4lIwGc3lzdGVtlJOUjAR0cnVllIWUUpQu",
            '{"args":[],"coalesce":true,"executor":"default","format":1,"func":"os:system","kwargs":{},"max_instances":1,'
            '"misfire_grace_time":60,"name":"x","trigger":{"type":"interval","minutes":1}}',
            '{"args":[],"coalesce":true,"executor":"default","format":1,"func":"tests.modules.scheduler.jobs:do_nothing",'
            '"kwargs":{},"max_instances":1,"misfire_grace_time":60,"name":"x","trigger":{"type":["interval"]}}',
            '{"args":[],"coalesce":true,"executor":"default","format":1,"func":"tests.modules.scheduler.jobs:do_nothing",'
            '"kwargs":{},"max_instances":1,"misfire_grace_time":60,"name":"x",'
            '"trigger":{"type":"interval","seconds":-1}}',
        ],
    )
    def test_are_put_aside_and_stop_nobody(self, app: Flask, node: Start, ledger: Ledger, definition: str) -> None:
        one = node(job("good", "do_nothing"))
        one.tick()
        due = ledger.due("good")
        ledger.change(self.insert(definition, due=to_micros(due) - 1))
        one.tick(due)
        ledger.settle()
        assert ledger.statuses("good") == ["succeeded"]
        hostile = ledger.job("hostile")
        assert hostile.quarantine
        assert hostile.definition == definition
        assert ledger.runs("hostile") == []
        with app.app_context(), transaction(write=False):
            assert business.get("hostile").state == "quarantined"

    @pytest.mark.parametrize("micros", [-(2**63), -1, 0])
    def test_may_be_due_at_any_time(self, node: Start, ledger: Ledger, micros: int) -> None:
        one = node(job("good"))
        one.tick()
        ledger.change(sa.update(Job).values(next_run_time=micros))
        one.tick()
        ledger.settle()
        assert set(ledger.statuses()) <= {"missed", "succeeded"}
        assert ledger.due("good") > clock.now()

    def test_are_tried_again_by_the_next_leader(self, node: Start, ledger: Ledger) -> None:
        one = node(job("good"))
        one.tick()
        ledger.change(sa.update(Job).values(quarantine="its function was not there"))
        one.tick(ledger.due("good"))
        assert ledger.runs() == []
        one.stop()
        node(job("good")).tick(ledger.due("good"))
        ledger.settle()
        assert ledger.statuses("good") == ["succeeded"]

    @pytest.mark.parametrize("definition", ["", '{"format":2}', "[" * 5000])
    def test_among_the_runs_fail_alone(self, app: Flask, node: Start, ledger: Ledger, definition: str) -> None:
        one = node(job("good"))
        one.tick()
        request_run(app, "good")
        ledger.change(sa.update(Run).values(definition=definition))
        one.tick()
        (run,) = ledger.runs()
        assert (run.status, run.started_at) == ("failed", None)
        assert "cannot be read" in run.reason

    @staticmethod
    def insert(definition: str, *, due: int) -> sa.Insert:
        return sa.insert(Job).values(
            id="hostile",
            definition=definition,
            version=1,
            source="api",
            next_run_time=due,
            created_at=clock.now(),
            updated_at=clock.now(),
        )
