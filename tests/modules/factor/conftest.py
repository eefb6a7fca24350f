"""A user with a second factor, and the codes that her phone shows."""

from collections.abc import Callable

import pytest
from flask import Flask

from application.database import transaction
from application.libs.clock import now
from application.libs.one_time_code import code_at, step_at
from application.libs.secret import hash_password
from application.modules.factor import business
from application.modules.user import business as user_business
from application.permissions import Role
from tests.moments import at

PASSWORD = "correct horse: 电池"
HASH = hash_password(PASSWORD)
HOME = "192.0.2.7"


class Phone:
    """Show the codes of a user's secret; `recovery_codes` lie beside it."""

    def __init__(self, user_id: str, name: str, secret: str, recovery_codes: list[str]) -> None:
        """Keep what was shown once."""
        self.user_id = user_id
        self.name = name
        self.secret = secret
        self.recovery_codes = recovery_codes

    def code(self, *, steps: int = 0) -> str:
        """Return the code of now, or of so many steps later."""
        return code_at(self.secret, step_at(now()) + steps)

    def wrong(self) -> str:
        """Return six digits that count neither now nor soon."""
        near = {self.code(steps=steps) for steps in range(-3, 20)}
        return next(code for number in range(100) if (code := f"{number:06}") not in near)


def set_up(user_id: str, name: str) -> Phone:
    """Give a user a second factor, ten minutes ago, in the current unit of work."""
    secret = business.offer(user_id, code=None, address=None).secret
    given = business.confirm(user_id, code_at(secret, step_at(now())), session_id=None, address=None)
    return Phone(user_id, name, secret, given.recovery_codes)


Enrol = Callable[..., Phone]


@pytest.fixture
def enrol(app: Flask) -> Enrol:
    """Return a function that creates a user with a second factor, before `NOW`."""

    def enrolled(name: str, *roles: Role) -> Phone:
        with app.app_context(), at(minutes=-10), transaction():
            user = user_business.create(name=name, password_hash=HASH, roles=roles or (Role.USER,))
            return set_up(user.id, name)

    return enrolled


@pytest.fixture
def eve(enrol: Enrol) -> Phone:
    """Create a user with a second factor."""
    return enrol("eve")
