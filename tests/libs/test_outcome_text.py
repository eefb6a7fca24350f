"""What was returned and raised, as text."""

from datetime import timedelta
from typing import Any

import pytest

from application.libs.outcome_text import MOST_RESULT, fault_of, result_of


class Awkward:
    """Be something that cannot even be shown."""

    def __str__(self) -> str:
        raise RuntimeError("no")


class TestResultOf:
    @pytest.mark.parametrize(
        ("value", "text"),
        [
            (None, None),
            (3, "3"),
            ({"a": [1, "\u4e2d"]}, '{"a":[1,"\u4e2d"]}'),
            (timedelta(seconds=1), '"PT1S"'),
            (ValueError("odd"), '"odd"'),
            ("a\x00b", '"a\\u0000b"'),
        ],
    )
    def test_is_json(self, value: Any, text: str | None) -> None:
        assert result_of(value) == text

    def test_is_cut_where_it_is_long_and_says_so(self) -> None:
        text = result_of(["x" * 100_000])
        assert text is not None
        assert len(text) < MOST_RESULT
        assert text.endswith('\u2026 (100004 characters)"')

    def test_says_so_of_what_cannot_be_shown(self) -> None:
        assert result_of(Awkward()) == '"(it cannot be shown)"'


class TestFaultOf:
    def test_keeps_what_was_raised(self) -> None:
        fault = fault_of(ValueError("a\x00b"))
        assert (fault.type, fault.message) == ("ValueError", "a\ufffdb")
        assert "ValueError" in fault.traceback
        assert fault_of(RuntimeError(Awkward())).message == "(its message cannot be read)"
