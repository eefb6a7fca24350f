"""Fill a database that our own migrations made: what we and all others are asked for.

Everything follows from numbers, so every run on every machine asks the same. Only the salt of the one password's hash
is drawn anew; all users have that one, because logins of one name at a time is all that is let in.
"""

import base64
import hashlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from application.database import db, transaction
from application.libs.search_text import index_text
from application.libs.secret import digest_token, hash_password
from application.modules.blog.models import Blog, BlogTag, Status
from application.modules.session.models import Session
from application.modules.tag.models import Tag
from application.modules.user.models import User, UserRole
from application.permissions import Role
from tests.applications import migrated

BLOGS, USERS, TAGS, TAGS_A_BLOG = 20_000, 100, 200, 3
PASSWORD = "four words that nobody says"
TOKEN = base64.urlsafe_b64encode(hashlib.sha256(b"the writer of the benchmark").digest()).decode().rstrip("=")
"""The access token of the first user, of the form that logging in gives."""

WORDS = (
    *("river", "stone", "cloud", "amber", "forest", "copper", "silent", "morning", "harbor", "winter"),
    *("meadow", "lantern", "velvet", "summit", "orchard", "thunder", "canyon", "marble", "willow", "ember"),
)
BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
FOR_EVER = datetime(2100, 1, 1, tzinfo=UTC)

_Rows = tuple[type[Any], list[dict[str, Any]]]
"""A table, and rows for it."""

_USER, _TAG, _BLOG, _SESSION = range(1, 5)
_BATCH = 2_000
_UNIT = 50 * _BATCH
"""How many blogs are written in one transaction: a million at once would be a gigabyte beside the database."""

_ANALYZE = {"sqlite": "ANALYZE", "postgresql": "ANALYZE"}
"""What a server does by itself within a minute after so many rows have come."""


def user_id(number: int) -> str:
    """Return the id of a user."""
    return _ident(_USER, number)


def tag_id(number: int) -> str:
    """Return the id of a tag."""
    return _ident(_TAG, number)


def blog_id(number: int) -> str:
    """Return the id of a blog."""
    return _ident(_BLOG, number)


def user_name(number: int) -> str:
    """Return the name of a user."""
    return f"user{number:03d}"


def title(number: int) -> str:
    """Return the title of a blog; each word stands in one of ten titles."""
    first, second = WORDS[number % len(WORDS)], WORDS[number // len(WORDS) * 7 % len(WORDS)]
    return f"{first} {second} {number:05d}"


def content(number: int) -> str:
    """Return the text of a blog, some three hundred characters."""
    return " ".join(WORDS[(number * place + place * place) % len(WORDS)] for place in range(1, 46))


def owner(number: int) -> int:
    """Return the number of the user who wrote a blog."""
    return number % USERS


def tags(number: int) -> list[int]:
    """Return the numbers of the tags of a blog."""
    return [(number * 3 + place * 67) % TAGS for place in range(TAGS_A_BLOG)]


def make(url: str, folder: Path) -> None:
    """Bring a database's tables to the newest revision and fill them."""
    with migrated(url, folder) as app, app.app_context():
        fill()
        db.engine.dispose()


def fill(blogs: int = BLOGS, tell: Callable[[int], None] | None = None) -> None:
    """Write all rows, and let the database count them; call it within an application context.

    `tell` is called with how many blogs are written, again and again: a million takes minutes.
    """
    _write(_others())
    for first in range(0, blogs, _UNIT):
        end = min(first + _UNIT, blogs)
        _write(_blogs(first, end))
        if tell is not None:
            tell(end)
    with transaction() as unit:
        unit.connection.exec_driver_sql(_ANALYZE[unit.connection.dialect.name])


def _write(batches: Iterator[_Rows]) -> None:
    """Write rows in one transaction."""
    with transaction() as unit:
        for table, rows in batches:
            unit.connection.execute(sa.insert(table), rows)


def _others() -> Iterator[_Rows]:
    """Return the rows of all other tables, in an order that foreign keys allow."""
    moment, password_hash = BEGINNING, hash_password(PASSWORD)
    yield (
        User,
        [
            {"id": user_id(number), "name": user_name(number), "password_hash": password_hash, "disabled_at": None}
            | {"created_at": moment, "updated_at": moment}
            for number in range(USERS)
        ],
    )
    yield UserRole, [{"user_id": user_id(number), "role": Role.USER.value} for number in range(USERS)]
    yield Tag, [{"id": tag_id(number), "name": f"tag{number:03d}", "created_at": moment} for number in range(TAGS)]
    yield Session, [_session()]


def _blogs(begin: int, end: int) -> Iterator[_Rows]:
    """Return the rows of these blogs and their tags, a batch at a time."""
    for first in range(begin, end, _BATCH):
        numbers = range(first, min(first + _BATCH, end))
        yield Blog, [_blog(number) for number in numbers]
        yield (
            BlogTag,
            [{"blog_id": blog_id(number), "tag_id": tag_id(tag)} for number in numbers for tag in tags(number)],
        )


def _blog(number: int) -> dict[str, Any]:
    moment = BEGINNING + timedelta(minutes=number)
    return {
        "id": blog_id(number),
        "owner_id": user_id(owner(number)),
        "title": title(number),
        "content": content(number),
        "search": index_text(title(number), content(number)),
        "status": Status.PUBLISHED,
        "published_at": moment,
        "created_at": moment,
        "updated_at": moment,
    }


def _session() -> dict[str, Any]:
    return {
        "id": _ident(_SESSION, 0),
        "user_id": user_id(0),
        "access_digest": digest_token(TOKEN),
        "access_expires_at": FOR_EVER,
        "family": digest_token("the family of the benchmark"),
        "refresh_digest": digest_token("the refresh token of the benchmark"),
        "previous_digest": None,
        "refreshed_at": BEGINNING,
        "expires_at": FOR_EVER,
        "ends_at": FOR_EVER,
        "created_at": BEGINNING,
        "last_seen_at": BEGINNING,
        "second_factor_at": None,
        "device": "benchmark",
        "address": "127.0.0.1",
    }


def _ident(kind: int, number: int) -> str:
    """Return an id of the form of UUIDv7, later numbers behind earlier ones."""
    milliseconds = int(BEGINNING.timestamp() * 1000) + number
    digits = f"{milliseconds:012x}"
    return f"{digits[:8]}-{digits[8:]}-7000-8000-{kind:04x}{number:08x}"
