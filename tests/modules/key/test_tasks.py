"""The work on keys that nobody waits for."""

from datetime import timedelta

import sqlalchemy as sa
from flask import Flask

from application.database import change, transaction
from application.libs.clock import now
from application.modules.key.models import ApiKey
from application.modules.key.tasks import prune_expired_keys
from application.permissions import Permission
from tests.conftest import Caller
from tests.modules.key.conftest import MakeKey
from tests.tables import count_rows


class TestPruneExpiredKeys:
    def test_deletes_what_expired_a_month_ago_and_nothing_else(
        self, app: Flask, ada: Caller, make_key: MakeKey
    ) -> None:
        ages = {make_key(ada.id, Permission.TAG_CREATE).id: days for days in (-1, 1, 29, 31)}
        with app.app_context(), transaction():
            for key_id, days in ages.items():
                expired = now() - timedelta(days=days)
                change(sa.update(ApiKey).where(ApiKey.id == key_id).values(expires_at=expired))
        with app.app_context(), transaction():
            assert (prune_expired_keys(), prune_expired_keys()) == (1, 0)
        assert [count_rows(app, "api_key", id=key_id) for key_id in ages] == [1, 1, 1, 0]
