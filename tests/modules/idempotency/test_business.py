"""Rules about answers that are kept."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from application.database import change
from application.libs.clock import now
from application.libs.idempotency import KeyInUse, StoredAnswer
from application.modules.idempotency import business
from application.modules.idempotency.models import IdempotencyKey

DIGEST = "a" * 64
PRINT = "f" * 64


@pytest.mark.usefixtures("unit")
class TestFind:
    def test_finds_nothing_at_first(self) -> None:
        assert business.find(DIGEST) is None

    def test_gives_what_was_kept(self) -> None:
        business.reserve(DIGEST, fingerprint=PRINT)
        business.keep(DIGEST, status=201, headers={"Location": "/x"}, body=b'{"a":"\xc3\xa9"}')
        assert business.find(DIGEST) == StoredAnswer(PRINT, 201, {"Location": "/x"}, b'{"a":"\xc3\xa9"}')

    def test_gives_no_status_before_the_answer(self) -> None:
        business.reserve(DIGEST, fingerprint=PRINT)
        assert business.find(DIGEST) == StoredAnswer(PRINT, None, {}, b"")

    def test_forgets_what_is_over(self) -> None:
        business.reserve(DIGEST, fingerprint=PRINT)
        change(sa.update(IdempotencyKey).values(expires_at=now()))
        assert business.find(DIGEST) is None


@pytest.mark.usefixtures("unit")
class TestReserve:
    def test_takes_what_is_over(self) -> None:
        business.reserve(DIGEST, fingerprint=PRINT)
        change(sa.update(IdempotencyKey).values(expires_at=now() - timedelta(seconds=1)))
        business.reserve(DIGEST, fingerprint="e" * 64)
        found = business.find(DIGEST)
        assert found is not None
        assert found.fingerprint == "e" * 64

    def test_refuses_a_taken_key(self) -> None:
        business.reserve(DIGEST, fingerprint=PRINT)
        with pytest.raises(KeyInUse):
            business.reserve(DIGEST, fingerprint=PRINT)


@pytest.mark.usefixtures("unit")
class TestKeep:
    def test_holds_a_large_answer(self) -> None:
        business.reserve(DIGEST, fingerprint=PRINT)
        business.keep(DIGEST, status=200, headers={}, body=b"x" * 1_000_000)
        found = business.find(DIGEST)
        assert found is not None
        assert len(found.body) == 1_000_000
