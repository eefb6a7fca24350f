"""The expressions of cron."""

import pytest

from application.libs.trigger.expression import CRON, LAST, read


class TestRead:
    @pytest.mark.parametrize(
        ("field", "value", "text", "values"),
        [
            ("minute", 5, "5", [5]),
            ("minute", "*/20", "*/20", [0, 20, 40]),
            ("minute", "5-20/5", "5-20/5", [5, 10, 15, 20]),
            ("minute", "50/5", "50/5", [50, 55]),
            ("minute", " 1 , 05 ", "1,5", [1, 5]),
            ("minute", "5-5", "5", [5]),
            ("month", "JAN,mar-apr", "jan,mar-apr", [1, 3, 4]),
            ("day_of_week", "mon-fri/2", "mon-fri/2", [0, 2, 4]),
            ("day_of_week", 0, "0", [0]),
        ],
    )
    def test_gives_values_and_the_text_that_is_shown(
        self, field: str, value: object, text: str, values: list[int]
    ) -> None:
        found = read(value, CRON[field])
        assert (found.text, sorted(found.values)) == (text, values)

    def test_gives_days_that_depend_on_the_month(self) -> None:
        found = read("3rd FRI,last sun,last,15", CRON["day"])
        assert (found.positions, found.last_day, set(found.values)) == (((2, 4), (LAST, 6)), True, {15})
        assert found.text == "3rd fri,last sun,last,15"

    @pytest.mark.parametrize(
        ("field", "value", "cure"),
        [
            ("hour", "25", "0 to 23"),
            ("hour", "-1", "0 to 23"),
            ("hour", "noon", "0 to 23"),
            ("hour", "5,", "0 to 23"),
            ("hour", "*/0", "from 1 to 23"),
            ("hour", "*/24", "from 1 to 23"),
            ("hour", "22-4", "22-23,0-4"),
            ("hour", "٥", "0 to 23"),
            ("hour", "1" * 201, "at most 200 characters"),
            ("hour", 10**300, "at most 200 characters"),
            ("hour", True, "give text"),
            ("hour", 5.0, "give text"),
            ("hour", None, "give text"),
            ("day", "6th fri", "'3rd fri'"),
            ("day", "3rd freitag", "'3rd fri'"),
            ("day", "lastx", "'last'"),
            ("month", "foo", "jan, feb"),
            ("day_of_week", "7", "0 to 6 or mon"),
            ("week", 54, "1 to 53"),
            ("year", 1969, "1970 to 9890"),
        ],
    )
    def test_names_the_cure_of_what_is_none(self, field: str, value: object, cure: str) -> None:
        with pytest.raises(ValueError, match=cure):
            read(value, CRON[field])
