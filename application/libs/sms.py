"""Send short messages through a small interface: the console in development, any provider that speaks HTTP.

What is put into a request is encoded as the request's body is (JSON, or a form), never pasted into it.
"""

import json
import re
import sys
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any, Literal, Protocol
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit

from application.libs.clock import now
from application.libs.delivery import DeliveryFailure, PermanentFailure, TemporaryFailure, said
from application.libs.record import Record

TIMEOUT_SECONDS = 10.0

MAX_ANSWER = 65_536
"""How many bytes of a provider's answer are read."""

MAX_RETRY_AFTER_SECONDS = 86_400.0

NUMBER = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)
"""A telephone number as E.164 writes it: a plus, the country, at most 15 digits."""

PLACEHOLDERS = ("to", "text", "template", "language", "id", "code")

_LIKE_A_KEY = 16  # characters; shorter ones are names and flags, which logs may show

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_TRY_AGAIN = frozenset({408, 425, 429})  # of 4xx, those that say it (RFC 9110 §15.5.9, RFC 8470, RFC 6585)


class Sms(Record):
    """Hold a short message: its number and text, and what providers with templates of their own want to know."""

    id: str
    to: str
    text: str
    template: str
    language: str
    code: str = ""

    def values(self) -> dict[str, str]:
        """Return what stands for each placeholder."""
        return {name: getattr(self, name) for name in PLACEHOLDERS}


class SmsSender(Protocol):
    """Take one message, or raise `TemporaryFailure` or `PermanentFailure`."""

    def send(self, sms: Sms) -> str:
        """Send the message, and return what is to be remembered of it: the provider's id where it gives one."""


class ConsoleSms:
    """Show messages to whoever develops, and send nothing."""

    def send(self, sms: Sms) -> str:
        """Write the message to the standard error."""
        sys.stderr.write(f"--- SMS to {sms.to} (not sent) ---\n{sms.text}\n---\n")
        return "shown on the console, not sent"


class MemorySms:
    """Keep messages for tests, and send nothing."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.sent: deque[Sms] = deque(maxlen=1000)

    def send(self, sms: Sms) -> str:
        """Keep the message."""
        self.sent.append(sms)
        return "kept in memory, not sent"


class NoSms:
    """Refuse every message, where nobody said how to send any."""

    def send(self, sms: Sms) -> str:
        """Say what is missing."""
        raise PermanentFailure(f"Nothing can be sent to {sms.to[:4]}…: SMS_URL is not set")


@dataclass(frozen=True)
class Template:
    """Be the body of a request with placeholders in its values: a JSON document, or the fields of a form."""

    kind: Literal["json", "form"]
    content: Any

    @property
    def media_type(self) -> str:
        """Name what the body is."""
        return "application/json" if self.kind == "json" else "application/x-www-form-urlencoded"

    def constants(self) -> list[str]:
        """Return the long texts in it that are always the same: a provider's key may be among them."""
        return [text for text in _texts(self.content) if len(text) >= _LIKE_A_KEY and not _PLACEHOLDER.search(text)]

    def fill(self, values: Mapping[str, str]) -> str:
        """Return the encoded body."""
        if self.kind == "json":
            return json.dumps(_filled(self.content, values))
        return urlencode([(name, _filled(value, values)) for name, value in self.content])


def read_template(text: str) -> Template:
    """Return the template that a text writes down; raise ValueError with the cure.

    JSON begins with a brace or a bracket; a form is `name=value&name=value`, where a plus is written `%2B`.
    """
    template = _parsed(text)
    found = set(_PLACEHOLDER.findall(json.dumps(template.content)))
    unknown = {name for name in found.difference(PLACEHOLDERS) if re.fullmatch(r"\w+", name)}
    if unknown:
        raise ValueError(f"has no placeholder {{{min(unknown)}}}; there are {', '.join(map(_braced, PLACEHOLDERS))}")
    if "to" not in found or found.isdisjoint({"text", "code"}):
        raise ValueError("needs {to}, and {text} or {code}, within its values")
    return template


def _parsed(text: str) -> Template:
    kind: Literal["json", "form"] = "json" if text.lstrip()[:1] in ("{", "[") else "form"
    try:
        if kind == "json":
            return Template(kind, json.loads(text))
        return Template(kind, parse_qsl(text, keep_blank_values=True, strict_parsing=True))
    except ValueError:  # whose text might hold a key
        raise ValueError(
            'is neither JSON nor a form: write {"to": "{to}", "text": "{text}"} or to={to}&text={text}'
        ) from None


def read_url(text: str) -> SplitResult:
    """Return the parts of a provider's address; raise ValueError with the cure."""
    cure = "is no address: write https://sms.example/send"
    try:
        parts = urlsplit(text)
        has_port = parts.port != 0
    except ValueError:
        raise ValueError(cure) from None
    odd = parts.username is not None or not text.isascii() or not text.isprintable() or " " in text
    if parts.scheme not in ("http", "https") or not parts.hostname or not has_port or odd:
        raise ValueError(f"{cure}, and a name and password into SMS_HEADERS")
    return parts


def read_headers(text: str) -> dict[str, str]:
    """Return headers from a JSON object of texts; raise ValueError with the cure. `{id}` may stand in a value."""
    try:
        headers = json.loads(text)
    except ValueError:
        headers = None
    texts = isinstance(headers, dict) and all(isinstance(value, str) for value in headers.values())
    if not texts or not all(re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name) for name in headers):
        raise ValueError('is no JSON object of texts: write {"Authorization": "Bearer …"}')
    if any(not value.isascii() or not value.isprintable() for value in headers.values()):
        raise ValueError("has a value that is not printable ASCII")
    return {name.title(): value for name, value in headers.items()}


@dataclass(frozen=True, kw_only=True)
class HttpSms:
    """Send each message in a request of its own to a provider; redirects are not followed."""

    url: str
    template: Template
    method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=dict)
    accepted: str = ""
    """A regular expression that the answer must hold, beside a status of 2xx; its group `id` is the provider's id."""
    timeout_seconds: float = TIMEOUT_SECONDS

    def send(self, sms: Sms) -> str:
        """Ask the provider to send the message; return its id for it, or the beginning of its answer."""
        try:
            status, headers, answer = self._ask(sms)
        except (OSError, HTTPException) as error:
            reason = said(str(error) or type(error).__name__)
            raise TemporaryFailure(f"The provider does not answer: {reason}") from error
        if not 200 <= status < 300:
            raise _refused(status, headers, answer)
        found = re.search(self.accepted, answer) if self.accepted else None
        if self.accepted and found is None:
            raise PermanentFailure(said(f"The provider's answer does not say that it accepted: {answer}"))
        identifier = found.groupdict().get("id") if found is not None else None
        return said(identifier or f"{status} {answer}")

    def _ask(self, sms: Sms) -> tuple[int, Mapping[str, str], str]:
        parts = read_url(self.url)
        content = self.template.fill(sms.values())
        connection = self._connection(parts)
        try:
            connection.request(self.method, *self._aim(parts, content), headers=self._headers(sms))
            answer: HTTPResponse = connection.getresponse()
            text = answer.read(MAX_ANSWER).decode("utf-8", "replace")
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, text
        finally:
            connection.close()

    def _connection(self, parts: SplitResult) -> HTTPConnection:
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        return kind(parts.hostname or "", parts.port, timeout=self.timeout_seconds)

    def _aim(self, parts: SplitResult, content: str) -> tuple[str, bytes | None]:
        """Return the target of the request and its body; a GET has its fields in the query."""
        query = [parts.query] if parts.query else []
        if self.method == "GET":
            query.append(content)
        target = (parts.path or "/") + (f"?{'&'.join(query)}" if query else "")
        return target, None if self.method == "GET" else content.encode()

    def _headers(self, sms: Sms) -> dict[str, str]:
        filled = {name: value.replace("{id}", sms.id) for name, value in self.headers.items()}
        body = {} if self.method == "GET" else {"Content-Type": self.template.media_type}
        return {**body, "Accept": "application/json, */*;q=0.1", "Connection": "close", **filled}


def _filled(value: Any, values: Mapping[str, str]) -> Any:
    """Return a value with what stands for the placeholders in its texts; what is put in is not looked at again.

    A text that is itself JSON, as some providers want their parameters, is filled as such.
    """
    if isinstance(value, str):
        inner = _inner(value)
        if inner is not None:
            return json.dumps(_filled(inner, values))
        return _PLACEHOLDER.sub(lambda match: values.get(match[1], match[0]), value)
    if isinstance(value, list):
        return [_filled(item, values) for item in value]
    if isinstance(value, dict):
        return {name: _filled(item, values) for name, item in value.items()}
    return value


def _texts(value: Any) -> list[str]:
    """Return the texts within a value, but no names of members."""
    if isinstance(value, str):
        return [value]
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    return [text for item in inside for text in _texts(item)]


def _inner(text: str) -> Any:
    """Return the object or list that a text holds as JSON, or None."""
    try:
        return json.loads(text) if text.lstrip()[:1] in ("{", "[") else None
    except ValueError:
        return None


def _refused(status: int, headers: Mapping[str, str], answer: str) -> DeliveryFailure:
    reason = said(f"{status} {answer}")
    if status >= 500 or status in _TRY_AGAIN:
        return TemporaryFailure(reason, retry_after_seconds=_seconds(headers.get("retry-after", "")))
    return PermanentFailure(reason)


def _seconds(text: str) -> float | None:
    """Return what Retry-After says (RFC 9110 §10.2.3), seconds or a date, in seconds from now."""
    if re.fullmatch(r"[0-9]{1,9}", text.strip(), re.ASCII):
        return min(float(text), MAX_RETRY_AFTER_SECONDS)
    try:
        wait = (parsedate_to_datetime(text) - now()).total_seconds()
    except (ValueError, TypeError):
        return None
    return min(max(wait, 0.0), MAX_RETRY_AFTER_SECONDS)


def _braced(name: str) -> str:
    return f"{{{name}}}"
