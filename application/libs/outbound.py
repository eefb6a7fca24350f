"""Call URLs of others without becoming their tool in this network (OWASP API7:2023, ASVS 15.3.2).

A URL is called if its host is listed. Its name is resolved once, each of its addresses must be reachable from the whole
world, and the connection goes to just these. No redirect is followed, no proxy asked, no cookie kept.
"""

import io
import ipaddress
import re
import socket
import ssl
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing, suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse
from time import monotonic
from typing import Any, cast

from application.libs.delivery import PermanentFailure, TemporaryFailure
from application.libs.host import HostNames
from application.libs.record import Record

MOST_BYTES = 65_536
"""How much of an answer is read: whether it was a success, its status says."""

MOST_LETTERS = 2048
"""How long a URL may be; servers take some 8,000 for the whole line."""

PORTS = {"http": 80, "https": 443}

TRY_LATER = frozenset({408, 425, 429})
"""What a client is answered that may repeat its request: timeout, too early, too many (RFC 9110, 8470, 6585)."""

URL = re.compile(
    r"(https?)://(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::([0-9]{1,5}))?((?:/[^?#]*)?(?:\?[^#]*)?)", re.ASCII | re.IGNORECASE
)

_UNICAST = ipaddress.ip_network("2000::/3")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_RETIRED = tuple(map(ipaddress.ip_network, ("2001::/32", "2002::/16")))  # Teredo and 6to4, which hide an IPv4 address
_DOCUMENTATION = ipaddress.ip_network("3fff::/20")  # RFC 9637; Pythons before 3.13 take it for public

Address = tuple[Any, ...]
Resolve = Callable[..., Iterable[tuple[int, int, int, str, Address]]]
"""Look a name up, as `socket.getaddrinfo` does."""


class Refused(PermanentFailure, ValueError):
    """A URL may not be called, or what was sent there was refused."""


class Answer(Record):
    """Hold what a receiver answered; the body may be cut off."""

    status: int
    body: bytes


class Target(Record):
    """Hold where a request goes."""

    scheme: str
    host: str
    port: int
    path: str


class Outbound:
    """Call URLs of listed hosts; those that are also listed as private may have any address, and be called by http."""

    def __init__(
        self,
        hosts: Iterable[str],
        private_hosts: Iterable[str] = (),
        *,
        resolve: Resolve = socket.getaddrinfo,
        tls: Callable[[], ssl.SSLContext] = ssl.create_default_context,
    ) -> None:
        self._hosts = HostNames(hosts)
        self._private = HostNames(private_hosts)
        self._resolve = resolve
        self._tls = tls

    def check_url(self, url: str) -> str:
        """Return a URL that may be called, or raise `Refused`; its name is looked up, and nothing connected.

        For whoever accepts one: a schema's validator may raise this error. A name that nobody knows now is accepted.
        """
        target = self._target(url)
        with suppress(TemporaryFailure):
            self._addresses(target)
        return url

    def post(self, url: str, body: bytes, headers: Mapping[str, str], *, timeout_seconds: float) -> Answer:
        """Send a body, and return the answer of a receiver that has taken it.

        Raises `Refused` or `TemporaryFailure`. The time is for all together; only a look-up is not cut off.
        """
        deadline = monotonic() + timeout_seconds
        target = self._target(url)
        addresses = self._addresses(target)
        try:
            with closing(self._connected(target, addresses, deadline)) as connected:
                answer = _exchange(target, _Line(connected, deadline), body, headers)
        except (OSError, HTTPException) as error:
            raise TemporaryFailure(f"{target.host} {_reason(error)}") from error
        if answer.status >= 500 or answer.status in TRY_LATER:
            raise TemporaryFailure(f"{target.host} answered {answer.status}")
        if not 200 <= answer.status < 300:
            raise Refused(f"{target.host} answered {answer.status}")
        return answer

    def _target(self, url: str) -> Target:
        match = URL.fullmatch(url) if len(url) <= MOST_LETTERS and url.isascii() and url.isprintable() else None
        if match is None or " " in url or "\\" in url:
            raise Refused("Give a URL as https://host/path, in ASCII, without user, password and fragment")
        scheme, host = match[1].lower(), match[2].strip("[]").lower().rstrip(".")
        port = int(match[3] or PORTS[scheme])
        if host not in self._hosts:
            raise Refused("Its host is not among those that may be called")
        if scheme == "http" and host not in self._private:
            raise Refused("Give a URL that begins with https://")
        if not 0 < port < 65_536:
            raise Refused("Its port is none")
        return Target(scheme, host, port, match[4] if match[4].startswith("/") else f"/{match[4]}")

    def _addresses(self, target: Target) -> list[tuple[int, Address]]:
        try:
            found = self._resolve(target.host, target.port, type=socket.SOCK_STREAM)
            addresses = [(family, address) for family, _kind, _protocol, _name, address in found]
        except (OSError, UnicodeError) as error:
            raise TemporaryFailure(f"{target.host} has no address now") from error
        if target.host not in self._private and not all(is_public(str(address[0])) for _family, address in addresses):
            raise Refused("Its host has an address that is not public")
        return addresses

    def _connected(self, target: Target, addresses: list[tuple[int, Address]], deadline: float) -> socket.socket:
        connected = _connect(addresses, deadline)
        if target.scheme == "http":
            return connected
        try:
            connected.settimeout(_left(deadline))
            return self._tls().wrap_socket(connected, server_hostname=target.host)
        except BaseException:
            connected.close()
            raise


def is_public(address: str) -> bool:
    """Tell whether the whole world may reach an address; one that carries an IPv4 address is as public as that."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        carried = found.ipv4_mapped
        if found in _NAT64:
            carried = ipaddress.IPv4Address(int(found) & 0xFFFF_FFFF)
        if carried is None:
            never = any(found in network for network in (*_RETIRED, _DOCUMENTATION))
            return found in _UNICAST and found.is_global and not never
        found = carried
    return found.is_global and not found.is_multicast


class _Line(io.RawIOBase):
    """Be the connection that http.client speaks over: whoever dawdles meets the deadline, at each byte of it."""

    def __init__(self, connected: socket.socket, deadline: float) -> None:
        super().__init__()
        self._connected = connected
        self._deadline = deadline

    def sendall(self, data: Any) -> None:
        self._connected.settimeout(_left(self._deadline))
        self._connected.sendall(data)

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._connected.settimeout(_left(self._deadline))
        return self._connected.recv_into(buffer)

    def close(self) -> None:
        """Leave the connection to whoever made it: http.client closes early, and reads on."""


def _connect(addresses: list[tuple[int, Address]], deadline: float) -> socket.socket:
    """Connect to the first of these addresses that answers."""
    failure: OSError = OSError("has no address")
    for family, address in addresses:
        connected = socket.socket(family, socket.SOCK_STREAM)
        try:
            connected.settimeout(_left(deadline))
            connected.connect(address)
        except OSError as error:
            connected.close()
            failure = error
        else:
            return connected
    raise failure


def _exchange(target: Target, line: _Line, body: bytes, headers: Mapping[str, str]) -> Answer:
    connection = HTTPConnection(target.host, target.port)
    connection.default_port = PORTS[target.scheme]
    connection.auto_open = 0
    connection.sock = cast(socket.socket, line)
    connection.request("POST", target.path, body, {**headers, "Connection": "close"})
    response = connection.getresponse()
    return Answer(response.status, _read(response))


def _read(response: HTTPResponse) -> bytes:
    """Return the beginning of a body; one that breaks off takes nothing away from the status."""
    try:
        return response.read(MOST_BYTES)
    except (OSError, HTTPException):
        return b""


def _left(deadline: float) -> float:
    left = deadline - monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _reason(error: Exception) -> str:
    """Say why nothing was delivered, without what the other side wrote."""
    if isinstance(error, TimeoutError):
        return "did not answer in time"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"has no valid certificate: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return "does not speak TLS as it should"
    return "cannot be reached" if isinstance(error, OSError) else "does not speak HTTP as it should"
