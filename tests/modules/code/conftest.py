"""Users with contacts."""

from contextlib import AbstractContextManager
from datetime import datetime

import pytest
from flask import Flask

from application.libs.clock import ruled_by
from tests.conftest import Caller
from tests.post import give_contact

MAIL = "Ada@Example.org"
PHONE = "+4915112345678"
STRANGER = "nobody@example.org"


def at(moment: datetime) -> AbstractContextManager[None]:
    """Let it be this moment for what asks the clock."""
    return ruled_by(lambda: moment)


@pytest.fixture
def reached(app: Flask, ada: Caller) -> Caller:
    """Return a user who is reached by mail and telephone."""
    give_contact(app, ada.id, MAIL)
    give_contact(app, ada.id, PHONE)
    return ada
