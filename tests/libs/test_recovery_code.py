"""Codes for who has lost their phone."""

import re

import pytest

from application.libs.recovery_code import digest_code, new_code


class TestNewCode:
    def test_has_80_bits_in_readable_groups(self) -> None:
        codes = {new_code() for _time in range(200)}
        assert len(codes) == 200
        assert all(re.fullmatch(r"[0-9a-hjkmnp-tv-z]{4}(-[0-9a-hjkmnp-tv-z]{4}){3}", code) for code in codes)
        assert len(set("".join(codes)) - {"-"}) == 32


class TestDigestCode:
    @pytest.mark.parametrize(
        "typed", ["4K7W-0XQD-93MT-H1C8", "4k7w0xqd93mth1c8", " 4k7w oxqd 93mt hlc8 ", "4k7wOxqd93mtHIc8"]
    )
    def test_is_the_same_however_it_was_typed(self, typed: str) -> None:
        assert digest_code(typed) == digest_code("4k7w-0xqd-93mt-h1c8")

    def test_differs_for_another(self) -> None:
        assert digest_code("4k7w-0xqd-93mt-h1c9") != digest_code("4k7w-0xqd-93mt-h1c8")
        assert len(digest_code("\udce9")) == 64
