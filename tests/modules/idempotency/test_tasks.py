"""The work on kept answers that nobody waits for."""

from datetime import timedelta

import sqlalchemy as sa
from flask import Flask

from application.database import change, transaction
from application.libs.clock import now
from application.modules.idempotency import business
from application.modules.idempotency.models import IdempotencyKey
from application.modules.idempotency.tasks import prune_expired_idempotency_keys


class TestPruneExpiredIdempotencyKeys:
    def test_deletes_what_is_over_and_nothing_else(self, app: Flask) -> None:
        with app.app_context(), transaction():
            for digest in ("a" * 64, "b" * 64):
                business.reserve(digest, fingerprint="f" * 64)
            over = now() - timedelta(seconds=1)
            change(sa.update(IdempotencyKey).where(IdempotencyKey.digest == "a" * 64).values(expires_at=over))
        with app.app_context(), transaction():
            assert prune_expired_idempotency_keys() == 1
            assert prune_expired_idempotency_keys() == 0
            assert business.find("b" * 64) is not None
