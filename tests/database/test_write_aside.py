"""What is written aside of a unit that reads is committed at once."""

import pytest

from application.database import change, transaction, write_aside
from application.database.unit import OutsideUnit
from application.libs.error import Conflict
from tests.database.counters import WRITE, put, value

pytestmark = pytest.mark.usefixtures("context")


class Counted(Conflict):
    """It is counted nevertheless."""

    commits = True


def stored() -> int:
    with transaction(write=False):
        return value()


class TestWriteAside:
    def test_stays_though_the_unit_is_refused_and_reads_on(self) -> None:
        with pytest.raises(Conflict), transaction(write=False) as unit:
            assert value() == 0
            for number in (5, 6):
                with write_aside():
                    put(number)
                assert value() == number
            with pytest.raises(OutsideUnit):
                change(WRITE, key=1, value=7)
            assert not unit.writes
            raise Conflict
        assert stored() == 6

    def test_is_undone_by_a_refusal_that_does_not_commit(self) -> None:
        with transaction(write=False):
            for number, refusal in ((5, Counted), (6, Conflict)):
                with pytest.raises(refusal), write_aside():
                    put(number)
                    raise refusal
                assert value() == 5
            with transaction():
                put(7, key=2)
        assert stored() == 5

    def test_ends_a_unit_that_fails(self) -> None:
        with pytest.raises(LookupError), transaction(write=False), write_aside():
            put(5)
            raise LookupError
        assert stored() == 0

    def test_is_a_part_of_a_unit_that_writes(self) -> None:
        with pytest.raises(Conflict), transaction():
            with write_aside():
                put(5)
            raise Conflict
        assert stored() == 0
