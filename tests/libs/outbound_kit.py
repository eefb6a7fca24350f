"""What calls this machine by names of a test's own."""

import socket
from typing import Any

from application.libs.outbound import Answer, Outbound

NAME = "hooks.example.org"


class Names:
    """Be a name server that knows what ends in .example.org: these addresses, one list after the other."""

    def __init__(self, *addresses: list[str]) -> None:
        self.asked = 0
        self._addresses = list(addresses)

    def __call__(self, host: str, port: int, **options: Any) -> list[Any]:
        self.asked += 1
        if not host.endswith(".example.org"):
            return list(socket.getaddrinfo(host, port, **options))
        if not self._addresses:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        given = self._addresses.pop(0) if len(self._addresses) > 1 else self._addresses[0]
        return [found for address in given for found in socket.getaddrinfo(address, port, **options)]


def local(**options: Any) -> Outbound:
    """Return what may call this machine, by http."""
    hosts = ("127.0.0.1", "localhost", "::1", ".example.org")
    return Outbound(hosts, hosts, **options)


def post(outbound: Outbound, url: str, *, timeout_seconds: float = 5) -> Answer:
    return outbound.post(url, b"{}", {"Content-Type": "application/json"}, timeout_seconds=timeout_seconds)
