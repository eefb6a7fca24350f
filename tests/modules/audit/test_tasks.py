"""The job that keeps the table of what was done short."""

from flask import Flask

from application.database import transaction
from application.modules.audit import business
from application.modules.audit.tasks import prune_audit
from tests.tables import count_rows


class TestPruneAudit:
    def test_leaves_a_year_alone(self, app: Flask) -> None:
        with app.app_context():
            with transaction():
                business.record("note.create", "7")
            with transaction():
                assert prune_audit() == 0
        assert count_rows(app, "audit") == 1
