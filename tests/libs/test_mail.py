from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest

from application.libs.mail import ConsoleMail, MemoryMail, compose, deliverable, mail_address, read_sender

ID = "01981f3e-7c5a-7b1e-9c55-0d7f5b1f2a10"


def message(**other: Any) -> EmailMessage:
    given: dict[str, Any] = {
        "message_id": ID,
        "sender": "Redprint 红图 <noreply@example.org>",
        "to": "ada@example.org",
        "subject": "你好",
        "text": "Hello\n",
        "html": "<p>Hello</p>",
        "language": "zh",
        "at": datetime(2030, 1, 31, 12, tzinfo=UTC),
    }
    return compose(**{**given, **other})


class TestMailAddress:
    @pytest.mark.parametrize(
        ("text", "address", "served"),
        [
            ("Ada@Example.ORG", "Ada@example.org", "Ada@example.org"),
            ("ada@bücher.example", "ada@bücher.example", "ada@xn--bcher-kva.example"),
            ("用户@例子.中国", "用户@例子.中国", "用户@xn--fsqu00a.xn--fiqs8s"),
            ("ada+tag@host", "ada+tag@host", "ada+tag@host"),
        ],
    )
    def test_is_in_normal_form(self, text: str, address: str, served: str) -> None:
        assert mail_address(text) == address
        assert deliverable(address) == served

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "ada",
            "@example.org",
            "ada@",
            "ada@@example.org",
            "ada@example.org\r\nBcc: eve@example.org",
            "ada@example.org\nBcc: eve@example.org",
            "ada@example.org, eve@example.org",
            "ada@example.org;eve@example.org",
            "Ada <ada@example.org>",
            "<ada@example.org>",
            '"a b"@example.org',
            "ada@[127.0.0.1]",
            "ada@-example.org",
            "a" * 65 + "@example.org",
            "ada%eve.example@example.org\x00",
        ],
    )
    def test_is_one_address_and_nothing_else(self, text: str) -> None:
        with pytest.raises(ValueError, match=r"."):
            mail_address(text)


class TestReadSender:
    @pytest.mark.parametrize("text", ["redprint@localhost", "Redprint <noreply@example.org>", '"A, B" <a@b.example>'])
    def test_takes_an_address_with_a_name_or_without(self, text: str) -> None:
        assert read_sender(f" {text} ") == text

    @pytest.mark.parametrize(
        "text", ["", "x", "<>", "a@b.example, c@d.example", "a@b.example\nBcc: c@d.example", "A <a"]
    )
    def test_refuses_anything_else(self, text: str) -> None:
        with pytest.raises(ValueError, match="^it "):
            read_sender(text)


class TestCompose:
    def test_writes_text_and_html_in_any_script(self) -> None:
        read = message_from_bytes(message().as_bytes(), policy=policy.default)
        assert read["From"] == "Redprint 红图 <noreply@example.org>"
        assert (read["To"], read["Subject"], read["Content-Language"]) == ("ada@example.org", "你好", "zh")
        assert read["Message-ID"] == f"<{ID}@example.org>"
        assert read["Date"].datetime == datetime(2030, 1, 31, 12, tzinfo=UTC)
        assert read["Auto-Submitted"] == "auto-generated"
        plain, html = read.get_body(("plain",)), read.get_body(("html",))
        assert plain is not None
        assert html is not None
        assert (plain.get_content().strip(), html.get_content().strip()) == ("Hello", "<p>Hello</p>")
        assert read.get_content_type() == "multipart/alternative"

    def test_writes_text_alone(self) -> None:
        assert message(html=None).get_content_type() == "text/plain"

    @pytest.mark.parametrize("part", ["subject", "to"])
    def test_lets_nobody_add_a_header(self, part: str) -> None:
        with pytest.raises(ValueError, match=r"."):
            message(**{part: "x\r\nBcc: eve@example.org"})


class TestConsoleMail:
    def test_shows_the_text(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert "not sent" in ConsoleMail().send(message())
        shown = capsys.readouterr().err
        assert "To: ada@example.org\nSubject: 你好\n" in shown
        assert "\n\nHello\n" in shown


class TestMemoryMail:
    def test_keeps_it(self) -> None:
        memory = MemoryMail()
        memory.send(message())
        assert [mail["To"] for mail in memory.sent] == ["ada@example.org"]
