"""Stand around the whole application: request id, security headers, framing of bodies, access line, last resort.

A WSGI wrapper and no hooks, because it also covers answers that no view gave and costs a third. Requests of
Socket.IO pass untouched, since a websocket takes the connection over; they only get their line at the end.
"""

import logging
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from http import HTTPStatus
from time import perf_counter, time
from types import TracebackType
from typing import Any, Literal, cast

import msgspec
from uuid_utils import uuid7

from application.libs.access_line import AccessLine, json_line, plain_path, stamp, text_line
from application.libs.cors import CrossOrigin
from application.libs.error import PROBLEM_TYPE, BadRequest, InternalError, Refusal, problem
from application.libs.host import TrustedHosts
from application.libs.request_body import Body, BodyBrokenError

LOGGER = logging.getLogger(__name__)

NO_REQUEST = "-"

REQUEST_ID: ContextVar[str] = ContextVar("request_id", default=NO_REQUEST)
"""The id of the request this thread or greenlet serves, for whoever writes a log line."""

PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)

DATA_POLICY = "default-src 'none'; frame-ancestors 'none'"

COMMON_HEADERS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin"}

NO_STORE = ("Cache-Control", "no-store")

STRICT_TRANSPORT = ("Strict-Transport-Security", "max-age=31536000")  # a year, OWASP ASVS 3.4.1

CURE_OF_HEADERS = (
    "Name a file by `send_file(…, download_name=…)`, which codes it as RFC 8187 says; percent-encode other text"
)

LENGTH = re.compile(r"[0-9]{1,18}", re.ASCII)

GIVEN_ID = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)

Environ = dict[str, Any]
Headers = list[tuple[str, str]]
ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]
StartResponse = Callable[..., Callable[[bytes], object]]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]


class HostRefused(BadRequest):
    """The request names no host that is served here."""


class LengthRefused(BadRequest):
    """The request's Content-Length is no number."""


class UnsendableHeaderError(ValueError):
    """An answer has a header that cannot go over the wire, where text is Latin-1 (PEP 3333)."""


class Edge:
    """Wrap a WSGI application; what it needs from above is handed to it.

    `write_line` takes each access line. `no_store` and `socket_path` are path prefixes. With an empty `trusted_hosts`
    any host is served; `.name` stands for a name and its subdomains. `body_errors` are what the server raises while it
    reads a bad body. Below `error_message_prefix` errors made here carry `error_message`, as Flask-APScheduler's
    clients expect. `cross_origin` knows the other sites whose pages may use the API. With `propagate` an exception goes
    on to a debugger. `sockets` serves what is below `socket_path` beside `app`: Socket.IO's middleware copies the
    environ, so user and endpoint would not come back through it.
    """

    def __init__(
        self,
        app: Application,
        *,
        write_line: Callable[[bytes], None],
        log_format: Literal["text", "json"] = "text",
        no_store: Iterable[str] = ("/api", "/scheduler"),
        sockets: Application | None = None,
        socket_path: str = "/socket.io",
        trusted_hosts: Iterable[str] = (),
        body_errors: Iterable[type[Exception]] = (),
        page_policy: str = PAGE_POLICY,
        error_message_prefix: str | None = "/scheduler",
        cross_origin: CrossOrigin | None = None,
        propagate: bool = False,
    ) -> None:
        self.app = app
        self.sockets = sockets or app
        self.write_line = write_line
        self.format_line = json_line if log_format == "json" else text_line
        self.no_store = tuple(f"{prefix.rstrip('/')}/" for prefix in no_store)
        self.socket_path = f"/{socket_path.strip('/')}/"
        self.trusted = TrustedHosts(trusted_hosts)
        self.body_errors: tuple[type[Exception], ...] = (OSError, *body_errors)
        self.data_headers = _HeaderSet({**COMMON_HEADERS, "Content-Security-Policy": DATA_POLICY})
        self.page_headers = _HeaderSet(
            {**COMMON_HEADERS, "Content-Security-Policy": page_policy, "Cross-Origin-Opener-Policy": "same-origin"}
        )
        self.error_message_prefix = f"{error_message_prefix.rstrip('/')}/" if error_message_prefix else None
        self.cross_origin = cross_origin
        self.propagate = propagate

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request."""
        exchange = _Exchange(self, environ, start_response)
        if environ.get("PATH_INFO", "").startswith(self.socket_path):
            return exchange.pass_through()
        return exchange.run()


class _HeaderSet:
    """Hold headers that are added where the answer does not set them itself."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._headers = tuple(headers.items())
        self._names = frozenset(name.lower() for name in headers)

    def missing(self, given: Mapping[str, str]) -> Iterable[tuple[str, str]]:
        """Return those whose name, in lower case, is not given."""
        if self._names.isdisjoint(given):
            return self._headers
        return [header for header in self._headers if header[0].lower() not in given]


class _Exchange:
    """Carry one request from its first byte to its access line; it is the iterable that the server sends."""

    __slots__ = (
        "_answer",
        "_done",
        "_edge",
        "_endpoint",
        "_environ",
        "_held",
        "_start",
        "_started",
        "_status",
        "_write",
        "request_id",
    )

    def __init__(self, edge: Edge, environ: Environ, start_response: StartResponse) -> None:
        self._started = perf_counter()
        self._edge = edge
        self._environ = environ
        self._start = start_response
        self._write: Callable[[bytes], object] | None = None  # the server's, once the headers were handed to it
        self._answer: Iterable[bytes] = ()
        self._held: tuple[str, Headers] | None = None
        self._status = 0
        self._endpoint: str | None = None
        self._done = False
        given = environ.get("HTTP_X_REQUEST_ID")
        self.request_id: str = given if given is not None and GIVEN_ID.fullmatch(given) else uuid7().hex
        environ["redprint.request_id"] = self.request_id
        REQUEST_ID.set(self.request_id)

    def run(self) -> Iterable[bytes]:
        """Check the request, call the application, return what the server is to send."""
        try:
            self._answer = self._answered()
        except Exception as error:
            self._answer = self._rescue(error)
        except BaseException:
            self._finish()
            raise
        wrapper = self._environ.get("wsgi.file_wrapper")
        if wrapper is not None and isinstance(self._answer, wrapper):
            return self._hand_over_file(self._answer)
        return self

    def _answered(self) -> Iterable[bytes]:
        refusal = self._fault()
        if refusal is not None:
            return self._refuse(refusal)
        cross_origin = self._edge.cross_origin
        if cross_origin is not None and cross_origin.is_preflight(self._environ):
            self.start("204 No Content", cross_origin.preflight_headers())
            return []
        return self._edge.app(self._environ, self.start)

    def pass_through(self) -> Iterable[bytes]:
        """Let Socket.IO have the connection: nothing is wrapped or held back, only a refusal before it is answered."""
        fault = self._edge.trusted.fault(self._environ)
        if fault is not None:
            self._answer = self._refuse(HostRefused(fault))
            return self
        if "HTTP_UPGRADE" in self._environ:
            self._status = 101  # a websocket says so on the connection itself and never calls start_response
        try:
            return self._edge.sockets(self._environ, self._observe)
        except Refusal as refusal:
            self._answer = self._refuse(refusal)
            return self
        finally:
            self._finish()

    def _observe(self, status: str, *arguments: Any) -> Callable[[bytes], object]:
        self._status = int(status[:3])
        return self._start(status, *arguments)

    def start(self, status: str, headers: Headers, exc_info: ExcInfo | None = None) -> Callable[[bytes], object]:
        """Be `start_response`: complete the headers, and hold them until there is something to send."""
        if self._write is not None and exc_info is not None:
            raise exc_info[1].with_traceback(exc_info[2])
        for name, value in headers:
            if not (value.isascii() or _is_latin(value)):
                raise UnsendableHeaderError(f"{name}: {value!r} cannot be sent. {CURE_OF_HEADERS}")
        self._status = int(status[:3])
        request = self._environ.get("werkzeug.request")  # Flask takes it away when the answer is made
        if request is not None:
            self._endpoint = getattr(request, "endpoint", None)  # a test client puts one of its own there
        self._held = (status, self._completed(headers))
        return self._send_now

    def _send_now(self, data: bytes) -> object:
        """Be the callable that start_response has returned since before iterables."""
        self._flush()
        return self._write(data) if self._write is not None else None

    def _completed(self, headers: Headers) -> Headers:
        edge, environ = self._edge, self._environ
        given = {name.lower(): value for name, value in headers}
        is_page = given.get("content-type", "").startswith("text/html")
        headers = [*headers, ("X-Request-ID", self.request_id)]
        headers += (edge.page_headers if is_page else edge.data_headers).missing(given)
        if "cache-control" not in given and f"{environ.get('PATH_INFO')}/".startswith(edge.no_store):
            headers.append(NO_STORE)
        if environ["wsgi.url_scheme"] == "https":
            headers.append(STRICT_TRANSPORT)
        if edge.cross_origin is not None:
            headers += edge.cross_origin.headers(environ)
        return headers

    def _flush(self) -> None:
        if self._held is not None:
            held, self._held = self._held, None
            self._write = self._start(*held)

    def __iter__(self) -> Iterator[bytes]:
        try:
            for chunk in self._answer:
                self._flush()
                yield chunk
        except Exception as error:
            rest = self._rescue(error)
            self._flush()
            yield from rest
        else:
            self._flush()

    def close(self) -> None:
        """End the answer; the server calls it when the last byte was sent."""
        try:
            close = getattr(self._answer, "close", None)
            if close is not None:
                close()
        finally:
            self._finish()

    def _hand_over_file(self, answer: Any) -> Iterable[bytes]:
        """Return the server's own file wrapper, or it would not use sendfile; only its end is watched."""
        close = getattr(answer, "close", None)

        def close_and_finish() -> None:
            try:
                if close is not None:
                    close()
            finally:
                self._finish()

        self._flush()
        answer.close = close_and_finish
        return cast(Iterable[bytes], answer)

    def _fault(self) -> Refusal | None:
        environ = self._environ
        fault = self._edge.trusted.fault(environ)
        if fault is not None:
            return HostRefused(fault)
        if "HTTP_TRANSFER_ENCODING" in environ:
            environ["wsgi.input"] = Body(environ["wsgi.input"], None, self._edge.body_errors)
            return None
        length = environ.get("CONTENT_LENGTH")
        if not length:
            return None
        if LENGTH.fullmatch(length) is None:
            return LengthRefused()
        environ["wsgi.input"] = Body(environ["wsgi.input"], int(length), self._edge.body_errors)
        return None

    def _rescue(self, error: Exception) -> Iterable[bytes]:
        """Answer for an application that raised; once a byte is sent, only breaking off is left."""
        if self._write is not None or self._edge.propagate:
            LOGGER.error("The answer broke off", exc_info=error)
            self._finish()
            raise error
        if isinstance(error, BodyBrokenError):
            return self._refuse(BadRequest(BodyBrokenError.description))
        if isinstance(error, Refusal):
            return self._refuse(error)
        LOGGER.error("An exception left the application", exc_info=error)
        return self._refuse(InternalError())

    def _refuse(self, refusal: Refusal) -> Iterable[bytes]:
        path = _text(f"{self._environ.get('SCRIPT_NAME', '')}{self._environ.get('PATH_INFO', '')}")
        method = self._environ["REQUEST_METHOD"]
        prefix = self._edge.error_message_prefix
        if prefix is not None and f"{self._environ.get('PATH_INFO', '')}/".startswith(prefix):
            content_type = "application/json"
            members = {"error_message": refusal.detail or refusal.title, "code": refusal.code}
            body = msgspec.json.encode({**members, "request_id": self.request_id, "errors": refusal.errors})
        else:
            content_type = PROBLEM_TYPE
            body = problem(refusal, request=f"{method} {path}", path=path, request_id=self.request_id)
        headers = [("Content-Type", content_type), ("Content-Length", str(len(body))), *refusal.headers.items()]
        self.start(f"{refusal.status} {HTTPStatus(refusal.status).phrase}", headers)
        return [] if method == "HEAD" else [body]

    def _finish(self) -> None:
        if self._done:
            return
        self._done = True
        environ = self._environ
        line = AccessLine(
            time=stamp(time()),
            request_id=self.request_id,
            method=environ["REQUEST_METHOD"],
            path=plain_path(f"{environ.get('SCRIPT_NAME', '')}{environ.get('PATH_INFO', '')}"),
            endpoint=self._endpoint,
            status=self._status,
            milliseconds=round((perf_counter() - self._started) * 1000, 1),
            user=environ.get("redprint.user"),
            remote=environ.get("REMOTE_ADDR") or None,
        )
        self._edge.write_line(self._edge.format_line(line))
        REQUEST_ID.set(NO_REQUEST)


def _is_latin(text: str) -> bool:
    try:
        text.encode("latin-1")
    except UnicodeEncodeError:
        return False
    return True


def _text(path: str) -> str:
    """Decode a path as WSGI hands it over: bytes in the clothes of Latin-1."""
    return path.encode("latin-1", errors="replace").decode("utf-8", errors="replace")
