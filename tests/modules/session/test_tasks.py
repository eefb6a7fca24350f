"""The work on tokens that nobody waits for."""

from datetime import timedelta

import sqlalchemy as sa
from flask import Flask

from application.database import change, transaction
from application.libs.clock import now
from application.modules.session.models import Session
from application.modules.session.tasks import prune_expired_sessions
from tests.conftest import Caller


class TestPruneExpiredSessions:
    def test_deletes_what_has_expired_and_nothing_else(self, app: Flask, ada: Caller, bob: Caller) -> None:
        with app.app_context(), transaction():
            over = now() - timedelta(seconds=1)
            change(sa.update(Session).where(Session.user_id == ada.id).values(expires_at=over))
        with app.app_context(), transaction():
            assert prune_expired_sessions() == 1
            assert prune_expired_sessions() == 0
        assert bob.client.get("/api/v1/auth/me").status_code == 200
        assert ada.client.get("/api/v1/auth/me").status_code == 401
