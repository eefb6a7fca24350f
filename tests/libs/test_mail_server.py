import shutil
import socket
import ssl
import subprocess
from asyncio import WriteTransport
from collections.abc import Iterator
from contextlib import closing
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

from application.libs.delivery import PermanentFailure, TemporaryFailure
from application.libs.mail_server import MailServer
from tests.mail_server import Mailbox, mail_server
from tests.port import free_port


def make_certificate(certificate: Path, key: Path) -> None:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed")
    subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", str(key)]
    command = [openssl, "req", "-x509", *curve, *subject, "-out", str(certificate), "-days", "2"]
    subprocess.run(command, check=True, capture_output=True)


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def server(mailbox: Mailbox) -> Iterator[MailServer]:
    with mail_server(mailbox) as port:
        yield MailServer(host="127.0.0.1", port=port)


def mail(to: str = "ada@example.org") -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "redprint@example.org", to, "你好"
    message.set_content("Hello\n")
    return message


async def break_off(connection: SMTP, _argument: str) -> None:
    """Part in anger instead of saying goodbye."""
    await connection.push("421 Out of my sight")
    assert isinstance(connection.transport, WriteTransport)
    connection.transport.abort()


class TestSend:
    def test_hands_a_message_in_and_returns_what_the_server_said(self, server: MailServer, mailbox: Mailbox) -> None:
        mailbox.reply = "250 2.0.0 OK: queued as 4XyZ12"
        assert server.send(mail()) == "250 2.0.0 OK: queued as 4XyZ12"
        (received,) = mailbox.mails
        assert (received["To"], received["Subject"]) == ("ada@example.org", "你好")

    def test_speaks_smtputf8_where_an_address_wants_it(self, server: MailServer, mailbox: Mailbox) -> None:
        server.send(mail("用户@xn--fsqu00a.xn--fiqs8s"))
        assert mailbox.mails[0]["To"] == "用户@xn--fsqu00a.xn--fiqs8s"

    def test_fails_for_good_where_the_server_speaks_no_smtputf8(self, mailbox: Mailbox) -> None:
        with mail_server(mailbox, enable_SMTPUTF8=False) as port, pytest.raises(PermanentFailure, match="SMTPUTF8"):
            MailServer(host="127.0.0.1", port=port).send(mail("用户@xn--fsqu00a.xn--fiqs8s"))

    @pytest.mark.parametrize(
        ("reply", "failure"),
        [("550 5.1.1 mailbox unknown", PermanentFailure), ("450 4.2.1 greylisted", TemporaryFailure)],
    )
    def test_says_why_a_recipient_is_refused(
        self, server: MailServer, mailbox: Mailbox, reply: str, failure: type[Exception]
    ) -> None:
        mailbox.refused["ada@example.org"] = reply
        with pytest.raises(failure) as raised:
            server.send(mail())
        assert str(raised.value) == reply
        assert mailbox.mails == []

    @pytest.mark.parametrize(
        ("reply", "failure"),
        [("554 5.7.1 looks like spam", PermanentFailure), ("452 4.3.1 disk full", TemporaryFailure)],
    )
    def test_says_why_a_content_is_refused(
        self, server: MailServer, mailbox: Mailbox, reply: str, failure: type[Exception]
    ) -> None:
        mailbox.reply = reply
        with pytest.raises(failure, match=reply):
            server.send(mail())

    def test_is_to_try_again_where_nobody_listens(self) -> None:
        port = free_port()
        with pytest.raises(TemporaryFailure, match=f"127.0.0.1:{port} is not reached: .*refused"):
            MailServer(host="127.0.0.1", port=port).send(mail())

    def test_is_to_try_again_where_a_server_never_says_a_word(self) -> None:
        with closing(socket.socket()) as hole:
            hole.bind(("127.0.0.1", 0))
            hole.listen()
            server = MailServer(host="127.0.0.1", port=hole.getsockname()[1], timeout_seconds=0.3)
            with pytest.raises(TemporaryFailure, match="timed out"):
                server.send(mail())

    def test_has_sent_a_message_whatever_the_server_says_to_goodbye(
        self, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(SMTP, "smtp_QUIT", break_off)
        with mail_server(mailbox) as port:
            assert MailServer(host="127.0.0.1", port=port).send(mail()) == "250 OK"
        assert len(mailbox.mails) == 1


class TestLogin:
    @pytest.mark.parametrize("right", [True, False])
    def test_is_tried_and_a_refused_one_is_no_fault_of_the_message(self, mailbox: Mailbox, right: bool) -> None:
        seen = []

        def authenticate(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
            assert isinstance(data, LoginPassword)
            seen.append((data.login, data.password))
            return AuthResult(success=right, handled=False)

        with mail_server(mailbox, authenticator=authenticate, auth_require_tls=False) as port:
            server = MailServer(host="127.0.0.1", port=port, username="me", password="m4il")
            if right:
                server.send(mail())
            else:
                with pytest.raises(TemporaryFailure, match="is not reached: 535"):
                    server.send(mail())
        assert seen[0] == (b"me", b"m4il")
        assert len(mailbox.mails) == right


class TestTls:
    @pytest.mark.parametrize("starttls", [True, False])
    @pytest.mark.parametrize("trusted", [True, False])
    def test_is_spoken_with_a_server_it_can_trust_only(
        self, mailbox: Mailbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, starttls: bool, trusted: bool
    ) -> None:
        certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
        make_certificate(certificate, key)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        tls: dict[str, Any] = (
            {"tls_context": context, "require_starttls": True} if starttls else {"ssl_context": context}
        )
        if trusted:
            monkeypatch.setenv("SSL_CERT_FILE", str(certificate))  # OpenSSL's own way to name whom to trust
        with mail_server(mailbox, **tls) as port:
            if not starttls:
                monkeypatch.setattr("application.libs.mail_server.IMPLICIT_TLS_PORT", port)
            server = MailServer(host="127.0.0.1", port=port, starttls=starttls)
            if trusted:
                server.send(mail())
            else:
                with pytest.raises(TemporaryFailure, match="certificate"):
                    server.send(mail())
        assert len(mailbox.mails) == trusted

    def test_is_not_given_up_where_the_server_has_none(self, server: MailServer, mailbox: Mailbox) -> None:
        careful = MailServer(host=server.host, port=server.port, starttls=True)
        with pytest.raises(TemporaryFailure, match="STARTTLS"):
            careful.send(mail())
        assert mailbox.mails == []
