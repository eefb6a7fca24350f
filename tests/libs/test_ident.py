"""Ids of rows."""

import uuid

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from application.libs.ident import is_id, new_id


class TestNewId:
    def test_is_a_canonical_uuid_of_version_7(self) -> None:
        key = new_id()
        assert str(uuid.UUID(key)) == key
        assert uuid.UUID(key).version == 7

    def test_sorts_in_order_of_making(self) -> None:
        keys = [new_id() for _ in range(1000)]
        assert keys == sorted(set(keys))


class TestIsId:
    @settings(max_examples=30, deadline=None, database=None)
    @given(key=st.uuids())
    def test_knows_every_uuid(self, key: uuid.UUID) -> None:
        assert is_id(str(key))
        assert is_id(str(key).upper())
        assert not is_id(key.hex)

    @pytest.mark.parametrize(
        "text", ["", "42", "０1981f3e-7c5a-7b1e-9c55-0d7f5b1f2a10", "01981f3e-7c5a-7b1e-9c55-0d7f5b1f2a10\n"]
    )
    def test_knows_nothing_else(self, text: str) -> None:
        assert not is_id(text)
