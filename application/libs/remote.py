"""Know whom requests come from, and tell them apart."""

import re
from ipaddress import IPv4Address, IPv6Address, ip_address

from application.libs.current import current_request
from application.libs.record import Record

_WITH_PORT = re.compile(r"(?P<v4>[0-9.]+):[0-9]+|\[(?P<v6>[^\]]+)\](:[0-9]+)?", re.ASCII)


class Client(Record):
    """Hold what a client calls itself, and its address, as proxies that are believed name it."""

    device: str
    address: str


SOMEBODY = Client(device="", address="")
"""Who comes from nowhere: a command, or a test."""


def current_client() -> Client:
    """Return who sent the request."""
    request = current_request()
    return Client(device=request.headers.get("User-Agent", ""), address=request.remote_addr or "")


def network(remote: str | None) -> str:
    """Return whom an address belongs to: itself, and of IPv6 the network that one customer gets.

    A server that listens on both families gives IPv4 as `::ffff:192.0.2.1` (RFC 4291 §2.5.5.2), and some proxies add
    the port, which is another one for every connection.
    """
    remote = remote or "unknown"
    ported = _WITH_PORT.fullmatch(remote)
    try:
        address = ip_address((ported["v4"] or ported["v6"]) if ported else remote)
    except ValueError:
        return remote
    if isinstance(address, IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return f"{IPv6Address(int(address) >> 64 << 64)}/64"
