"""Rules about answers that are kept: for a day, and then the key is free again."""

import json
from collections.abc import Mapping
from datetime import timedelta

import sqlalchemy as sa

from application.database import change, execute
from application.libs.clock import now
from application.libs.idempotency import KeyInUse, StoredAnswer
from application.modules.idempotency.models import IdempotencyKey

TTL = timedelta(hours=24)

_GET = sa.select(IdempotencyKey.fingerprint, IdempotencyKey.status, IdempotencyKey.headers, IdempotencyKey.body).where(
    IdempotencyKey.digest == sa.bindparam("digest"), IdempotencyKey.expires_at > sa.bindparam("moment")
)
_DELETE_EXPIRED_ONE = sa.delete(IdempotencyKey).where(
    IdempotencyKey.digest == sa.bindparam("key"), IdempotencyKey.expires_at <= sa.bindparam("moment")
)
_DELETE_EXPIRED = sa.delete(IdempotencyKey).where(IdempotencyKey.expires_at <= sa.bindparam("moment"))
_INSERT = sa.insert(IdempotencyKey)
_UPDATE = sa.update(IdempotencyKey).where(IdempotencyKey.digest == sa.bindparam("key"))


def find(digest: str) -> StoredAnswer | None:
    """Return what is kept, unless its day is over."""
    row = execute(_GET, digest=digest, moment=now()).one_or_none()
    if row is None:
        return None
    headers: dict[str, str] = json.loads(row.headers or "{}")
    return StoredAnswer(fingerprint=row.fingerprint, status=row.status, headers=headers, body=row.body or b"")


def reserve(digest: str, *, fingerprint: str) -> None:
    """Take the key; who comes second waits for the first one's transaction and is then refused."""
    moment = now()
    change(_DELETE_EXPIRED_ONE, key=digest, moment=moment)
    change(
        _INSERT,
        conflict=KeyInUse,
        digest=digest,
        fingerprint=fingerprint,
        created_at=moment,
        expires_at=moment + TTL,
    )


def keep(digest: str, *, status: int, headers: Mapping[str, str], body: bytes) -> None:
    """Note the answer under a reserved key."""
    change(_UPDATE, key=digest, status=status, headers=json.dumps(dict(headers)), body=body)


def prune_expired() -> int:
    """Delete the answers whose day is over; return how many."""
    return change(_DELETE_EXPIRED, moment=now())
