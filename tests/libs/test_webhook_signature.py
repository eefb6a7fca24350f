"""Signing and verifying as Standard Webhooks has it."""

import base64
from datetime import UTC, datetime, timedelta

import pytest

from application.libs.webhook_signature import headers_of, key_of, keys_of, verify

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "whsec_" + base64.b64encode(bytes(range(32))).decode()
EVENT = "msg_p5jXN8AQM9LWM0D4loKWxJek"
MOMENT = datetime.fromtimestamp(1614265330, UTC)
BODY = b'{"test": 2432232314}'


class TestHeadersOf:
    def test_are_those_of_the_specification_s_own_example(self) -> None:
        assert headers_of(keys_of(SECRET), EVENT, MOMENT, BODY) == {
            "webhook-id": EVENT,
            "webhook-timestamp": "1614265330",
            "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        }

    @pytest.mark.parametrize("event_id", ["", "a.b", "a b", "a\r\nb", "ä", "a" * 65])
    def test_refuse_an_id_that_could_be_mistaken(self, event_id: str) -> None:
        with pytest.raises(ValueError, match="at most 64 letters"):
            headers_of(keys_of(SECRET), event_id, MOMENT, BODY)


class TestKeyOf:
    def test_gives_the_bytes(self) -> None:
        assert key_of(OTHER) == bytes(range(32))
        assert keys_of(f" {OTHER}, {SECRET} ,") == (bytes(range(32)), key_of(SECRET))
        assert keys_of("") == ()

    @pytest.mark.parametrize(
        "secret",
        [
            "",
            "whsec_",
            "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "whsec_not base64!",
            "whsec_ünïcode",
            "whsec_" + base64.b64encode(bytes(23)).decode(),
            "whsec_" + base64.b64encode(bytes(65)).decode(),
        ],
    )
    def test_refuses_what_is_no_secret(self, secret: str) -> None:
        with pytest.raises(ValueError, match=r"^(A secret is whsec_ and 24 to 64|string argument should contain only)"):
            key_of(secret)


class TestVerify:
    @pytest.fixture
    def headers(self) -> dict[str, str]:
        """Return what is sent, as a server hands it on."""
        return {name.title(): value for name, value in headers_of(keys_of(SECRET), EVENT, MOMENT, BODY).items()}

    def test_accepts_what_was_signed(self, headers: dict[str, str]) -> None:
        assert verify(SECRET, headers, BODY, moment=MOMENT)

    def test_accepts_either_secret_while_one_replaces_the_other(self) -> None:
        headers = headers_of(keys_of(f"{OTHER},{SECRET}"), EVENT, MOMENT, BODY)
        assert headers["webhook-signature"].count(" ") == 1
        assert verify(SECRET, headers, BODY, moment=MOMENT)
        assert verify(OTHER, headers, BODY, moment=MOMENT)

    @pytest.mark.parametrize(
        "changed",
        [
            {"Webhook-Id": "msg_other"},
            {"Webhook-Id": "\ud800"},
            {"Webhook-Timestamp": "1614265331"},
            {"Webhook-Timestamp": "hello"},
            {"Webhook-Timestamp": "-1"},
            {"Webhook-Timestamp": "9" * 400},
            {"Webhook-Signature": ""},
            {"Webhook-Signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OA="},
            {"Webhook-Signature": "v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="},
            {"Webhook-Signature": "v1,ä"},
        ],
    )
    def test_refuses_what_was_changed(self, headers: dict[str, str], changed: dict[str, str]) -> None:
        assert not verify(SECRET, {**headers, **changed}, BODY, moment=MOMENT)

    @pytest.mark.parametrize("name", ["Webhook-Id", "Webhook-Timestamp", "Webhook-Signature"])
    def test_refuses_what_is_not_whole(self, headers: dict[str, str], name: str) -> None:
        del headers[name]
        assert not verify(SECRET, headers, BODY, moment=MOMENT)

    def test_refuses_another_body_or_secret(self, headers: dict[str, str]) -> None:
        assert not verify(SECRET, headers, BODY + b" ", moment=MOMENT)
        assert not verify(OTHER, headers, BODY, moment=MOMENT)

    @pytest.mark.parametrize(("seconds", "accepted"), [(-301, False), (-300, True), (300, True), (301, False)])
    def test_refuses_what_is_old_or_ahead(self, headers: dict[str, str], seconds: int, accepted: bool) -> None:
        assert verify(SECRET, headers, BODY, moment=MOMENT + timedelta(seconds=seconds)) is accepted

    def test_takes_the_time_of_now(self, headers: dict[str, str]) -> None:
        assert not verify(SECRET, headers, BODY)
