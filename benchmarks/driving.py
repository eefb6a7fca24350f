"""Ask WSGI applications in this process, without any server, and count what the processor spends on it."""

import gc
import io
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


@dataclass(frozen=True)
class Call:
    """Be one request."""

    path: str
    method: str = "GET"
    query: str = ""
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    def environ(self) -> dict[str, Any]:
        """Return what a server hands over, anew for each time."""
        variables: dict[str, Any] = {
            "REQUEST_METHOD": self.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": self.path,
            "QUERY_STRING": self.query,
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "5000",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "HTTP_HOST": "127.0.0.1:5000",
            "REMOTE_ADDR": "127.0.0.1",
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(self.body),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": False,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
        }
        if self.body:
            variables |= {"CONTENT_LENGTH": str(len(self.body)), "CONTENT_TYPE": "application/json"}
        return variables | {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in self.headers.items()}


def ask(application: Application, call: Call) -> tuple[int, bytes]:
    """Ask once; return status and body."""
    statuses: list[str] = []

    def start_response(status: str, _headers: object, _error: object = None) -> Callable[[bytes], None]:
        statuses.append(status)
        return lambda _data: None

    answer = application(call.environ(), start_response)
    try:
        body = b"".join(answer)
    finally:
        close = getattr(answer, "close", None)
        if close is not None:
            close()
    return int(statuses[-1][:3]), body


def microseconds(application: Application, call: Call, times: int) -> float:
    """Return what one request costs of the processor's time, on average of so many."""
    return mean_microseconds(application, [call] * times)


def mean_microseconds(application: Application, calls: Sequence[Call]) -> float:
    """Return what one of these requests, each asked once, costs of the processor's time on average."""
    gc.collect()
    began = time.process_time()
    for call in calls:
        ask(application, call)
    return (time.process_time() - began) / len(calls) * 1_000_000
