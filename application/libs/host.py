"""Judge the host a request names (RFC 9112 §3.2)."""

import ipaddress
import re
from collections.abc import Iterable, Mapping
from typing import Any

HOST = re.compile(r"(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::[0-9]{1,5})?", re.ASCII | re.IGNORECASE)

MOST_KNOWN_HOSTS = 1024  # Host headers remembered as good; a bound because any client may invent them


NAME = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|[0-9a-f:]*:[0-9a-f:.]*", re.ASCII)


def canonical(name: str) -> str:
    """Return a listed host as it is compared: lower case, ASCII, without brackets; a leading dot stays.

    Raises ValueError for what can be no host.
    """
    dot = "." if name.startswith(".") else ""
    plain = name.removeprefix(".").strip("[]").encode("idna").decode("ascii").lower()
    if NAME.fullmatch(plain) is None:
        raise ValueError(f"{name} is no host name; write it without scheme, port and wildcard")
    return f"{dot}{plain}"


def is_loopback(host: str) -> bool:
    """Tell whether only this machine can reach a server that listens there."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


class HostNames:
    """Hold host names, of which `.name` stands for a name and its subdomains."""

    def __init__(self, names: Iterable[str]) -> None:
        listed = [canonical(name) for name in names]
        self._exact = {name.removeprefix(".") for name in listed}
        self._suffixes = tuple(name for name in listed if name.startswith("."))

    def __bool__(self) -> bool:
        return bool(self._exact)

    def __contains__(self, name: str) -> bool:
        return name in self._exact or (bool(self._suffixes) and name.endswith(self._suffixes))


class TrustedHosts:
    """Judge the host a request names; remember the good ones, because a look-up is all a request may cost."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = HostNames(names)
        self._known: set[str] = set()

    def fault(self, environ: Mapping[str, Any]) -> str | None:
        """Say why the request's host is refused, or None."""
        host = environ.get("HTTP_HOST")
        target: str = environ.get("RAW_URI") or environ.get("REQUEST_URI") or "/"
        if host in self._known and target[0] == "/":
            return None
        return self._fault_of_host(host, environ) or self._fault_of_target(host, target)

    def _fault_of_host(self, host: str | None, environ: Mapping[str, Any]) -> str | None:
        if host is None:
            return (
                None if environ.get("SERVER_PROTOCOL") == "HTTP/1.0" else "HTTP/1.1 asks for a Host header (RFC 9112)"
            )
        match = HOST.fullmatch(host)
        if match is None:
            return "The Host header is not a host"
        if self._names and (match[1] or match[2]).lower().rstrip(".") not in self._names:
            return "This host is not served here; TRUSTED_HOSTS lists those that are"
        if len(self._known) < MOST_KNOWN_HOSTS:
            self._known.add(host)
        return None

    @staticmethod
    def _fault_of_target(host: str | None, target: str) -> str | None:
        """Refuse `GET http://elsewhere/`: its host would count over the header (RFC 9112 §3.2.2)."""
        _scheme, separator, rest = target.partition("://")
        if (
            target[0] in "/*"
            or not separator
            or rest.partition("/")[0].partition("?")[0].lower() == (host or "").lower()
        ):
            return None
        return "The request's target and its Host header name different hosts"
