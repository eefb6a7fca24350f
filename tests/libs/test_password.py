"""What a new password may be."""

import subprocess
import sys

import pytest

from application.libs import password
from application.libs.password import ListMissingError, common_passwords, fold, holds_name, is_common


def ranked() -> list[str]:
    """Return the words of the package's list, the most frequent first."""
    words: list[str] = password._lists("zxcvbn").FREQUENCY_LISTS["passwords"]
    return words


class TestIsCommon:
    def test_knows_each_of_the_first_three_thousand_that_is_long_enough(self) -> None:
        first = [word for word in ranked()[:3000] if len(word) >= password.MIN_LENGTH]
        assert len(first) > 800
        assert [word for word in first if not is_common(word)] == []

    @pytest.mark.parametrize("given", ["sunshine1", "SunShine1", " sunshine1 ", "ｓｕｎｓｈｉｎｅ１", "PASSWORD123"])
    def test_sees_through_case_blanks_and_forms_of_letters(self, given: str) -> None:
        assert is_common(given)

    @pytest.mark.parametrize("given", ["correct horse battery staple", "sunshine1 and rain", "密码密码密码密码", ""])
    def test_leaves_what_only_holds_a_common_one(self, given: str) -> None:
        assert not is_common(given)


class TestCommonPasswords:
    def test_are_folded_and_many(self) -> None:
        words = common_passwords()
        assert len(words) > 10_000
        assert [word for word in words if fold(word) != word or len(word) < password.MIN_LENGTH] == []

    def test_are_read_when_they_are_asked_for_and_without_the_estimator(self) -> None:
        program = """
import sys
from application.libs import password
print(password.common_passwords.cache_info().currsize)
password.is_common("x")
print(password.common_passwords.cache_info().currsize, "zxcvbn" in sys.modules)
"""
        said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
        assert said == "0\n1 False\n"

    def test_say_what_is_missing(self) -> None:
        with pytest.raises(ListMissingError, match="requirements.txt"):
            password._lists("no_such_package")


class TestHoldsName:
    @pytest.mark.parametrize(
        ("given", "name"),
        [
            ("lovelace1815", "lovelace"),
            ("my LoveLace is long", "Lovelace"),
            ("ﬁnnegans wake", "FINN"),
            ("straße-nach-hause", "STRASSE"),
            ("陈小明小小的密码", "陈小明小"),
            ("the ada lovelace", "ada lovelace"),
        ],
    )
    def test_finds_it_whatever_the_case(self, given: str, name: str) -> None:
        assert holds_name(given, name)

    @pytest.mark.parametrize(
        ("given", "name"), [("ada and bob", "ada"), ("lovelac-e1815", "lovelace"), ("ecalevol1815", "lovelace")]
    )
    def test_leaves_short_names_and_what_only_resembles_one(self, given: str, name: str) -> None:
        assert not holds_name(given, name)
