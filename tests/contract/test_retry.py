"""Two requests that meet in the database: one is run again, and the client never learns of it."""

import threading
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from application.database import change, execute, transaction
from application.libs.ident import new_id
from application.libs.ok import Envelope
from application.libs.redprint import Redprint, Surface
from tests.contract import specimen
from tests.contract.specimen import EchoOut
from tests.contract.specimen_table import TABLE
from tests.parallel import at_once
from tests.services import fresh_database

KEYS = sorted(new_id() for _ in range(2))


class Crossing:
    """Raise both rows, in an order that makes two first attempts wait for each other."""

    def __init__(self) -> None:
        self.attempts: list[int] = []
        self.gate = threading.Barrier(2)

    def redprint(self) -> Redprint:
        made = Redprint("crossing", __name__)

        @made.post("/<int:first>", public=True)
        def cross(first: int) -> EchoOut:
            """Raise the first row, meet the other, raise the second."""
            self.attempts.append(first)
            meets = len(self.attempts) <= 2
            one, two = (KEYS[first - 1], KEYS[2 - first])
            raise_row(one)
            if meets:
                self.gate.wait(timeout=10)
            raise_row(two)
            return EchoOut(place="path", value={"first": first})

        return made


def raise_row(key: str) -> None:
    """Add one to a row."""
    change(TABLE.update().where(TABLE.c.id == key).values(small=TABLE.c.small + 1))


@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])  # SQLite's writers wait for each other from the start
class TestRetry:
    def test_hides_a_deadlock(self, kind: str, tmp_path: Any) -> None:
        crossing = Crossing()
        surface = Surface("s", __name__, url_prefix="/s", dialect=Envelope())
        surface.register_blueprint(crossing.redprint())
        with fresh_database(kind, tmp_path) as url, specimen.serving(url, surfaces=[surface]) as app:
            fill(app)
            answers = at_once([partial(app.test_client().post, f"/s/crossing/{first}") for first in (1, 2)])
            assert [answer.status_code for answer in answers] == [200, 200]
            assert len(crossing.attempts) > 2  # mostly three; who is tried again may meet the other once more
            with app.app_context(), transaction(write=False):
                assert execute(sa.select(TABLE.c.small)).scalars().all() == [2, 2]


def fill(app: Flask) -> None:
    """Store the two rows."""
    with app.app_context(), transaction():
        for key in KEYS:
            row: dict[str, Any] = {"name": "a", "story": "", "small": 0, "large": 0, "ratio": 0.0, "flag": False}
            moment = datetime(2030, 1, 1, tzinfo=UTC)
            change(TABLE.insert(), id=key, moment=moment, colour="red", extra={}, maybe=None, **row)
