"""The work on tokens that nobody waits for."""

from datetime import timedelta

import sqlalchemy as sa
from flask import Flask

from application.database import change, transaction
from application.libs.clock import now
from application.modules.auth.models import Token
from application.modules.auth.tasks import prune_expired_tokens
from tests.conftest import Caller


class TestPruneExpiredTokens:
    def test_deletes_what_has_expired_and_nothing_else(self, app: Flask, ada: Caller, bob: Caller) -> None:
        with app.app_context(), transaction():
            over = now() - timedelta(seconds=1)
            change(sa.update(Token).where(Token.user_id == ada.id).values(expires_at=over))
        with app.app_context(), transaction():
            assert prune_expired_tokens() == 1
            assert prune_expired_tokens() == 0
        assert bob.client.get("/api/v1/auth/me").status_code == 200
        assert ada.client.get("/api/v1/auth/me").status_code == 401
