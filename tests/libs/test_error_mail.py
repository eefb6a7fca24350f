import logging
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from application.libs.error_mail import ErrorMail, MailServer


class Mailbox:
    """Keep what a real SMTP server received."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.refuse = False

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 -- aiosmtpd's name
        if self.refuse:
            return "451 Try again later"
        self.mails.append(message_from_bytes(envelope.content, policy=default))
        return "250 OK"

    def wait(self, count: int) -> list[EmailMessage]:
        for _ in range(100):
            if len(self.mails) >= count:
                break
            time.sleep(0.02)
        return self.mails


def free_port() -> int:
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


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
def port(mailbox: Mailbox) -> Iterator[int]:
    controller = Controller(mailbox, hostname="127.0.0.1", port=free_port())
    controller.start()
    yield controller.port
    controller.stop()


Mail = Callable[..., logging.Logger]


@pytest.fixture
def mail(port: int) -> Iterator[Mail]:
    """Return a function that gives a logger whose errors are mailed."""
    logger = logging.getLogger("specimen.mail")
    logger.propagate = False
    handlers = []

    def make(pause_seconds: float = 60.0, server: MailServer | None = None) -> logging.Logger:
        server = server or MailServer(host="127.0.0.1", port=port)
        handler = ErrorMail(
            server=server,
            sender="redprint@example.org",
            recipients=("ann@example.org", "bob@example.org"),
            pause_seconds=pause_seconds,
        )
        handler.setFormatter(logging.Formatter("TIME %(levelname)s %(name)s %(message)s"))
        logger.addHandler(handler)
        handlers.append(handler)
        return logger

    yield make
    for handler in handlers:
        logger.removeHandler(handler)
        handler.close()
    logger.propagate = True
    assert not any(thread.name == "error-mail" for thread in threading.enumerate())


class TestErrorMail:
    def test_sends_what_went_wrong(self, mail: Mail, mailbox: Mailbox) -> None:
        try:
            raise RuntimeError("连接失败")
        except RuntimeError:
            mail().exception("It broke")

        (received,) = mailbox.wait(1)
        assert received["Subject"] == "[redprint] ERROR specimen.mail It broke"
        assert received["From"] == "redprint@example.org"
        assert received["To"] == "ann@example.org, bob@example.org"
        text = received.get_content()
        assert "RuntimeError: 连接失败" in text
        assert socket.gethostname() in text
        assert "withheld" not in text

    def test_sends_errors_only(self, mail: Mail, mailbox: Mailbox) -> None:
        logger = mail()
        logger.warning("merely odd")
        logger.error("broken")

        assert [received["Subject"] for received in mailbox.wait(1)] == ["[redprint] ERROR specimen.mail broken"]

    def test_sends_one_mail_a_pause_and_counts_the_rest(self, mail: Mail, mailbox: Mailbox) -> None:
        logger = mail(pause_seconds=0.5)
        logger.error("error 0")
        mailbox.wait(1)
        for number in range(1, 200):
            logger.error("error %s", number)
        assert len(mailbox.mails) == 1

        first, second = mailbox.wait(2)
        assert "error 0" in first.get_content()
        assert "error 1\r\n" in second.get_content()
        assert "198 more errors since were withheld" in second.get_content()
        time.sleep(0.7)
        assert len(mailbox.mails) == 2

    def test_keeps_a_mail_the_server_refused(
        self, mail: Mail, mailbox: Mailbox, caplog: pytest.LogCaptureFixture
    ) -> None:
        mailbox.refuse = True
        logger = mail(pause_seconds=0.3)
        logger.error("first")
        time.sleep(0.2)
        logger.error("second")
        mailbox.refuse = False

        (received,) = mailbox.wait(1)
        assert received["Subject"].endswith("first")
        assert "1 more errors since were withheld" in received.get_content()
        assert "could not be sent" in caplog.text

    def test_blocks_nobody_when_the_server_is_dead(self, mail: Mail, caplog: pytest.LogCaptureFixture) -> None:
        with closing(socket.socket()) as black_hole:  # accepts, never says a word
            black_hole.bind(("127.0.0.1", 0))
            black_hole.listen()
            hole_port = black_hole.getsockname()[1]
            logger = mail(server=MailServer(host="127.0.0.1", port=hole_port))

            began = time.monotonic()
            for number in range(1000):
                logger.error("error %s", number)
            assert time.monotonic() - began < 1
        time.sleep(0.1)
        assert "could not be sent" in caplog.text

    def test_sends_the_last_error_of_a_process_that_ends(self, port: int, mailbox: Mailbox) -> None:
        handler = ErrorMail(
            server=MailServer(host="127.0.0.1", port=port), sender="a@example.org", recipients=("b@example.org",)
        )
        handler.emit(logging.makeLogRecord({"levelno": logging.ERROR, "levelname": "ERROR", "msg": "the last words"}))
        handler.close()

        assert len(mailbox.mails) == 1
        handler.emit(logging.makeLogRecord({"msg": "too late"}))
        assert not any(thread.name == "error-mail" for thread in threading.enumerate())

    def test_logs_in_where_it_is_asked_to(self, mail: Mail, mailbox: Mailbox) -> None:
        seen = []

        def authenticate(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
            assert isinstance(data, LoginPassword)
            seen.append((data.login, data.password))
            return AuthResult(success=True)

        controller = Controller(
            mailbox, hostname="127.0.0.1", port=free_port(), authenticator=authenticate, auth_require_tls=False
        )
        controller.start()
        server = MailServer(host="127.0.0.1", port=controller.port, username="me", password="m4il")
        mail(server=server).error("broken")

        assert len(mailbox.wait(1)) == 1
        controller.stop()
        assert seen == [(b"me", b"m4il")]

    @pytest.mark.parametrize("starttls", [True, False])
    def test_speaks_tls_with_a_server_it_can_trust(
        self, mail: Mail, mailbox: Mailbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, starttls: bool
    ) -> None:
        certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
        make_certificate(certificate, key)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        tls: dict[str, Any] = (
            {"tls_context": context, "require_starttls": True} if starttls else {"ssl_context": context}
        )
        controller = Controller(mailbox, hostname="127.0.0.1", port=free_port(), **tls)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))  # OpenSSL's own way to name whom to trust
        controller.start()
        if not starttls:
            monkeypatch.setattr("application.libs.error_mail.IMPLICIT_TLS_PORT", controller.port)

        mail(server=MailServer(host="127.0.0.1", port=controller.port, starttls=starttls)).error("broken")

        assert len(mailbox.wait(1)) == 1
        controller.stop()

    def test_sends_nothing_in_clear_when_tls_was_asked_for(
        self, mail: Mail, mailbox: Mailbox, port: int, caplog: pytest.LogCaptureFixture
    ) -> None:
        mail(server=MailServer(host="127.0.0.1", port=port, starttls=True)).error("broken")
        time.sleep(0.3)

        assert mailbox.mails == []
        assert "STARTTLS" in caplog.text
