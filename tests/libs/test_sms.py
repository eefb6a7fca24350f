import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from application.libs.delivery import PermanentFailure, TemporaryFailure
from application.libs.sms import (
    NUMBER,
    ConsoleSms,
    HttpSms,
    MemorySms,
    NoSms,
    Sms,
    read_headers,
    read_template,
    read_url,
)
from tests.port import free_port
from tests.sms_provider import Provider, sms_provider

NASTY = 'a"b\\c}{to}&x=1+2\r\n你好'
BODY = '{"to": "{to}", "text": "{text}", "from": "Redprint"}'


def sms(text: str = "Hello", code: str = "204816") -> Sms:
    return Sms(id="01", to="+4915112345678", text=text, template="code", language="en", code=code)


def sender(provider: Provider, body: str = BODY, **options: Any) -> HttpSms:
    return HttpSms(url=provider.url, template=read_template(body), **options)


@pytest.fixture
def provider() -> Iterator[Provider]:
    with sms_provider() as running:
        yield running


class TestHttpSms:
    def test_posts_json(self, provider: Provider) -> None:
        headers = {"Authorization": "Bearer k3y", "Idempotency-Key": "{id}"}
        assert sender(provider, headers=headers).send(sms()) == '200 {"code": "OK", "sid": "SM42"}'
        (asked,) = provider.asked
        assert (asked.method, asked.target) == ("POST", "/send")
        assert json.loads(asked.body) == {"to": "+4915112345678", "text": "Hello", "from": "Redprint"}
        assert asked.headers["Content-Type"] == "application/json"
        assert (asked.headers["Authorization"], asked.headers["Idempotency-Key"]) == ("Bearer k3y", "01")

    def test_posts_a_form(self, provider: Provider) -> None:
        sender(provider, "To={to}&From=%2B15005550006&Body={text}").send(sms("1 + 1 & more"))
        (asked,) = provider.asked
        assert asked.headers["Content-Type"] == "application/x-www-form-urlencoded"
        assert parse_qs(asked.body) == {"To": ["+4915112345678"], "From": ["+15005550006"], "Body": ["1 + 1 & more"]}

    def test_gets_with_the_fields_in_the_query(self, provider: Provider) -> None:
        provider.url += "?account=7"
        sender(provider, "to={to}&text={text}", method="GET").send(sms("你好"))
        (asked,) = provider.asked
        assert (asked.method, asked.body) == ("GET", "")
        query = parse_qs(urlsplit(asked.target).query)
        assert query == {"account": ["7"], "to": ["+4915112345678"], "text": ["你好"]}

    def test_encodes_whatever_a_text_holds(self, provider: Provider) -> None:
        sender(provider).send(sms(NASTY))
        sender(provider, "to={to}&text={text}").send(sms(NASTY))
        first, second = provider.asked
        assert json.loads(first.body)["text"] == NASTY
        assert parse_qs(second.body)["text"] == [NASTY]

    def test_fills_json_within_a_text_as_json(self, provider: Provider) -> None:
        nested = json.dumps({"to": "{to}", "param": json.dumps({"code": "{code}"}), "list": [{"x": "{template}"}, 1]})
        sender(provider, nested).send(sms(code='1"2'))
        sender(provider, 'to={to}&param={"code":"{code}"}').send(sms(code='1"2'))
        first, second = provider.asked
        assert json.loads(json.loads(first.body)["param"]) == {"code": '1"2'}
        assert json.loads(first.body)["list"] == [{"x": "code"}, 1]
        assert json.loads(parse_qs(second.body)["param"][0]) == {"code": '1"2'}

    def test_returns_the_id_that_the_answer_names(self, provider: Provider) -> None:
        assert sender(provider, accepted=r'"sid": "(?P<id>\w+)"').send(sms()) == "SM42"
        assert sender(provider, accepted='"code": "OK"').send(sms()).startswith("200 ")

    def test_has_failed_where_the_answer_does_not_accept(self, provider: Provider) -> None:
        provider.answer = '{"code": "isv.BUSINESS_LIMIT_CONTROL"}'
        with pytest.raises(PermanentFailure, match="BUSINESS_LIMIT_CONTROL"):
            sender(provider, accepted='"code": "OK"').send(sms())

    @pytest.mark.parametrize("status", [400, 401, 404, 302])
    def test_has_failed_for_good_where_it_is_refused(self, provider: Provider, status: int) -> None:
        provider.status, provider.answer, provider.headers = status, "no such\nnumber", {"Location": "/elsewhere"}
        with pytest.raises(PermanentFailure) as raised:
            sender(provider).send(sms())
        assert str(raised.value) == f"{status} no such number"
        assert len(provider.asked) == 1

    @pytest.mark.parametrize("status", [500, 502, 503, 408, 429])
    def test_is_to_try_again_where_the_provider_is_away(self, provider: Provider, status: int) -> None:
        provider.status = status
        with pytest.raises(TemporaryFailure, match=f"^{status} ") as raised:
            sender(provider).send(sms())
        assert raised.value.retry_after_seconds is None

    @pytest.mark.parametrize(
        ("header", "seconds"),
        [
            ("30", 30),
            ("999999999", 86_400),
            ("Fri, 01 Jan 2100 00:00:00 GMT", 86_400),
            ("Fri, 01 Jan 2010 00:00:00 GMT", 0),
            ("soon", None),
        ],
    )
    def test_says_when_to_try_again(self, provider: Provider, header: str, seconds: float | None) -> None:
        provider.status, provider.headers = 429, {"Retry-After": header}
        with pytest.raises(TemporaryFailure) as raised:
            sender(provider).send(sms())
        assert raised.value.retry_after_seconds == seconds

    def test_is_to_try_again_where_the_provider_hangs(self, provider: Provider) -> None:
        provider.hang.clear()
        with pytest.raises(TemporaryFailure, match="timed out"):
            sender(provider, timeout_seconds=0.3).send(sms())

    def test_is_to_try_again_where_nobody_listens(self, provider: Provider) -> None:
        provider.url = f"http://127.0.0.1:{free_port()}/send"
        with pytest.raises(TemporaryFailure, match="refused"):
            sender(provider).send(sms())

    def test_trusts_no_certificate_of_anybody(self, provider: Provider) -> None:
        provider.url = provider.url.replace("http:", "https:")
        with pytest.raises(TemporaryFailure, match="SSL"):
            sender(provider).send(sms())


class TestReadTemplate:
    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            ("{", "neither JSON nor a form"),
            ("to", "neither JSON nor a form"),
            ('{"to": "{to}"}', "needs {to}, and {text} or {code}"),
            ("text={text}", "needs {to}"),
            ("to={to}&text={txet}", "has no placeholder {txet}; there are {to}, {text}"),
        ],
    )
    def test_refuses_what_sends_nothing(self, text: str, reason: str) -> None:
        with pytest.raises(ValueError, match=reason.replace("{", r"\{")):
            read_template(text)

    def test_names_what_may_be_a_key(self) -> None:
        template = read_template('{"to": "{to}", "text": "{text}", "keys": ["k3y-k3y-k3y-k3y-k3y"], "unicode": "true"}')
        assert template.constants() == ["k3y-k3y-k3y-k3y-k3y"]
        assert read_template("to={to}&code={code}&appkey=0123456789abcdef").constants() == ["0123456789abcdef"]


class TestReadHeaders:
    def test_takes_texts(self) -> None:
        assert read_headers('{"authorization": "Basic eDp5"}') == {"Authorization": "Basic eDp5"}

    @pytest.mark.parametrize("text", ["x", "[]", '{"a": 1}', '{"a b": "c"}', '{"a": "b\\r\\nc: d"}', '{"a": "é"}'])
    def test_refuses_what_is_no_header(self, text: str) -> None:
        with pytest.raises(ValueError, match="JSON object of texts|printable ASCII"):
            read_headers(text)


class TestReadUrl:
    @pytest.mark.parametrize("text", ["x", "ftp://h/", "https://", "https://h:x/", "https://u:p@h/", "https://h/a b"])
    def test_refuses_what_is_no_address(self, text: str) -> None:
        with pytest.raises(ValueError, match="is no address"):
            read_url(text)


class TestNumber:
    @pytest.mark.parametrize("number", ["+4915112345678", "+8613800138000", "+1234567"])
    def test_is_e164(self, number: str) -> None:
        assert NUMBER.fullmatch(number)

    @pytest.mark.parametrize("number", ["015112345678", "+0151", "+123456", "+1234567890123456", "+١٢٣٤٥٦٧٨"])
    def test_is_nothing_else(self, number: str) -> None:
        assert not NUMBER.fullmatch(number)


class TestOthers:
    def test_the_console_shows_the_text(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert "not sent" in ConsoleSms().send(sms())
        assert capsys.readouterr().err == "--- SMS to +4915112345678 (not sent) ---\nHello\n---\n"

    def test_memory_keeps_it(self) -> None:
        memory = MemorySms()
        memory.send(sms())
        assert list(memory.sent) == [sms()]

    def test_without_a_provider_nothing_is_sent(self) -> None:
        with pytest.raises(PermanentFailure, match="SMS_URL is not set"):
            NoSms().send(sms())
