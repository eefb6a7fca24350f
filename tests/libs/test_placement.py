"""Which fields fit where; the messages are shown whole in test_operation_slips.py."""

from typing import Annotated, Any

import pytest
from pydantic import Field, create_model

from application.libs.placement import misplaced
from application.libs.schema import Ident, Schema, Upload, UtcTime


class Inner(Schema):
    pass


FLAT = [str, Ident, int, UtcTime | None, list[int], tuple[Ident, ...] | None, Annotated[str, Field(max_length=5)]]
NESTED = [
    Inner,
    Inner | None,
    dict[str, int],
    list[dict[str, int]],
    list[list[int]],
    list[Inner],
    Annotated[Inner, "a"],
]
FILES = [Upload, Upload | None, list[Upload], Annotated[list[Upload], Field(max_length=2)]]


def faults(place: str, kind: Any) -> list[str]:
    return list(misplaced(place, create_model("Made", __base__=Schema, field=(kind, ...))))


class TestMisplaced:
    @pytest.mark.parametrize("kind", FLAT)
    def test_lets_texts_be_anywhere_but_among_files(self, kind: Any) -> None:
        assert [faults(place, kind) for place in ("body", "query", "headers", "form")] == [[], [], [], []]
        assert faults("files", kind) == ["field: annotate it with `Upload`, or take it through `form`"]

    @pytest.mark.parametrize("kind", NESTED)
    def test_lets_only_a_body_nest(self, kind: Any) -> None:
        assert faults("body", kind) == []
        cure = ["field: name its members one by one, or take it through `body`"]
        assert [faults(place, kind) for place in ("query", "headers", "form")] == [cure] * 3

    @pytest.mark.parametrize("kind", FILES)
    def test_lets_files_be_among_files_only(self, kind: Any) -> None:
        assert faults("files", kind) == []
        cure = ["field: take the file through `files`"]
        assert [faults(place, kind) for place in ("body", "query", "headers", "form")] == [cure] * 4
