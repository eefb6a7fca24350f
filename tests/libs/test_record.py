"""Rows that rules return."""

import msgspec
import pytest

from application.libs.record import Record


class Row(Record):
    id: str
    size: int = 0


class TestRecord:
    def test_is_frozen_and_equal_by_value(self) -> None:
        row = Row("1")
        assert row == Row(id="1", size=0)
        assert len({row, Row("1")}) == 1
        with pytest.raises(AttributeError):
            setattr(row, row.__struct_fields__[0], "2")

    def test_is_encoded_as_it_is(self) -> None:
        assert msgspec.json.encode(Row("1", 2)) == b'{"id":"1","size":2}'
