import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from application.libs.error_mail import ErrorMail
from application.libs.mail_server import MailServer
from tests.mail_server import Mailbox, mail_server
from tests.waiting import wait_until


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def port(mailbox: Mailbox) -> Iterator[int]:
    with mail_server(mailbox) as port:
        yield port


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
        logger = mail(pause_seconds=1)
        logger.error("first")
        wait_until(lambda: "could not be sent" in caplog.text)
        logger.error("second")
        mailbox.refuse = False

        (received,) = mailbox.wait(1)
        assert received["Subject"].endswith("first")
        assert "1 more errors since were withheld" in received.get_content()
        assert "could not be sent" in caplog.text

    @pytest.mark.timed
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
