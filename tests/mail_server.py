"""Run a real SMTP server and keep what it received."""

import asyncio
from asyncio import BaseTransport, WriteTransport
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP

from tests.port import free_port
from tests.waiting import wait_until


class Mailbox:
    """Keep what the server received; refuse it for now where `refuse` says so, or a recipient by the reply to it."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.refuse = False
        self.refused: dict[str, str] = {}
        self.reply = "250 OK"
        self.hold = False
        """Whether a mail is taken, and nobody told so."""
        vars(self).update(handle_RCPT=self.judge, handle_DATA=self.take)  # aiosmtpd's names

    async def judge(self, _server: Any, _session: Any, envelope: Any, address: str, _options: list[str]) -> str:
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def take(self, _server: Any, _session: Any, envelope: Any) -> str:
        if self.refuse:
            return "451 Try again later"
        self.mails.append(message_from_bytes(envelope.content, policy=default))
        while self.hold:
            await asyncio.sleep(0.02)
        return self.reply

    def wait(self, count: int) -> list[EmailMessage]:
        wait_until(lambda: len(self.mails) >= count)
        return self.mails


class _Connection(SMTP):
    """Be listed while the connection is open."""

    def __init__(self, handler: Mailbox, listed: set[SMTP], **options: Any) -> None:
        super().__init__(handler, **options)
        self._listed = listed

    def connection_made(self, transport: BaseTransport) -> None:
        self._listed.add(self)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        super().connection_lost(error)
        self._listed.discard(self)


class MailServer(Controller):
    """Close each connection before the loop ends; aiosmtpd leaves them to the garbage collector."""

    def __init__(self, mailbox: Mailbox, **options: Any) -> None:
        super().__init__(mailbox, hostname="127.0.0.1", **{"port": free_port(), **options})
        self._listed: set[SMTP] = set()

    def factory(self) -> SMTP:
        return _Connection(self.handler, self._listed, **self.SMTP_kwargs)

    def stop(self, no_assert: bool = False) -> None:
        self.loop.call_soon_threadsafe(self._abort)
        wait_until(lambda: not self._listed)
        super().stop(no_assert)

    def _abort(self) -> None:
        if self.server is not None:
            self.server.close()
        for connection in list(self._listed):
            below_tls = connection._original_transport
            if isinstance(below_tls, WriteTransport) and connection.session is not None and not connection.session.ssl:
                below_tls.abort()
                connection.connection_lost(None)  # asyncio does not tell of the end of a TLS handshake that failed
            elif isinstance(connection.transport, WriteTransport):
                connection.transport.abort()


@contextmanager
def mail_server(mailbox: Mailbox, **options: Any) -> Iterator[int]:
    """Run a server that fills the mailbox, and give its port."""
    server = MailServer(mailbox, **options)
    server.start()
    try:
        yield server.port
    finally:
        server.stop()
