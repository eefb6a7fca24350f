"""Count what passwords cost: each hash that is made and each that is compared, by the real hasher."""

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from argon2 import PasswordHasher

from application.database.unit import is_inside_unit


class Work(NamedTuple):
    """Hold what was done: `hash` or `verify`, and whether a unit of work was open meanwhile."""

    what: str
    inside_unit: bool


def watched_hashing(monkeypatch: pytest.MonkeyPatch) -> list[Work]:
    """Return the list in which everything that is hashed or compared from now on will stand."""
    done: list[Work] = []

    def watch(what: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def do(*arguments: Any, **options: Any) -> Any:
            done.append(Work(what, is_inside_unit()))
            return real(*arguments, **options)

        return do

    for name in ("hash", "verify"):
        monkeypatch.setattr(PasswordHasher, name, watch(name, getattr(PasswordHasher, name)))
    return done


VERIFIED = Work("verify", inside_unit=False)
HASHED = Work("hash", inside_unit=False)
