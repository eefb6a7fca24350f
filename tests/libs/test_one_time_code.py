"""Codes that phones show."""

import base64
from datetime import UTC, datetime, timedelta

import pytest

from application.libs import one_time_code

SECRET = base64.b32encode(b"12345678901234567890").decode()
"""That of RFC 6238, appendix B, and of RFC 4226, appendix D."""


class TestFindStep:
    @pytest.mark.parametrize(
        ("seconds", "code"),
        [
            (59, "94287082"),
            (1_111_111_109, "07081804"),
            (1_111_111_111, "14050471"),
            (1_234_567_890, "89005924"),
            (2_000_000_000, "69279037"),
            (20_000_000_000, "65353130"),
        ],
    )
    def test_takes_the_codes_of_the_rfc(self, seconds: int, code: str) -> None:
        """RFC 6238, appendix B; eight digits there, of which the last six are a code of six (RFC 4226 §5.3)."""
        moment = datetime.fromtimestamp(seconds, UTC)
        assert one_time_code.find_step(SECRET, code[2:], moment) == seconds // 30

    @pytest.mark.parametrize(("steps", "counts"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
    def test_takes_a_code_that_is_one_step_early_or_late(self, steps: int, counts: bool) -> None:
        moment = datetime(2026, 3, 1, 12, 0, 15, tzinfo=UTC)
        step = one_time_code.step_at(moment + timedelta(seconds=30 * steps))
        found = one_time_code.find_step(SECRET, one_time_code.code_at(SECRET, step), moment)
        assert found == (step if counts else None)

    def test_takes_none_of_another_secret(self) -> None:
        moment = datetime(2026, 3, 1, tzinfo=UTC)
        code = one_time_code.code_at(one_time_code.new_secret(), one_time_code.step_at(moment))
        assert one_time_code.find_step(SECRET, code, moment) is None or code in _counting(moment)


class TestCodeAt:
    def test_counts_as_the_rfc_does(self) -> None:
        """RFC 4226, appendix D."""
        wanted = ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"]
        assert [one_time_code.code_at(SECRET, count) for count in range(10)] == wanted


class TestReadCode:
    @pytest.mark.parametrize("typed", ["492039", " 492 039 ", "492\t039"])
    def test_takes_blanks(self, typed: str) -> None:
        assert one_time_code.read_code(typed) == "492039"

    @pytest.mark.parametrize("typed", ["", "49203", "4920391", "49203a", "４９２０３９", "४९२०३९", "49-2039", "+49203"])
    def test_takes_six_ascii_digits_only(self, typed: str) -> None:
        assert one_time_code.read_code(typed) is None


class TestNewSecret:
    def test_has_160_bits_and_is_another_each_time(self) -> None:
        secrets = {one_time_code.new_secret() for _time in range(50)}
        assert len(secrets) == 50
        assert {len(base64.b32decode(secret)) for secret in secrets} == {20}


class TestAddress:
    def test_is_what_phones_read(self) -> None:
        uri = one_time_code.address(SECRET, name="ada lovelace", issuer="Red print")
        assert uri == f"otpauth://totp/Red%20print:ada%20lovelace?secret={SECRET}&issuer=Red%20print"


def _counting(moment: datetime) -> list[str]:
    step = one_time_code.step_at(moment)
    return [one_time_code.code_at(SECRET, near) for near in (step - 1, step, step + 1)]
