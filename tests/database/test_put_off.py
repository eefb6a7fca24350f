"""Calling a function after the commit, where there is one to come."""

import pytest

from application.database import put_off, transaction

pytestmark = pytest.mark.usefixtures("context")


class TestPutOff:
    def test_waits_for_the_commit(self) -> None:
        rung: list[str] = []
        with transaction():
            assert put_off(lambda: rung.append("bell"))
            assert rung == []
        assert rung == ["bell"]

    def test_calls_nothing_outside_a_unit(self) -> None:
        rung: list[str] = []
        assert not put_off(lambda: rung.append("bell"))
        assert rung == []
