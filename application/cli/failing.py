"""Say what keeps the application from being built, and stand in for it until a developer has mended that.

Nothing here imports what a developer edits: it must work while a file of theirs cannot be imported.
"""

import html
import json
import os
import socket
import sys
import traceback
from collections.abc import Callable, Iterable
from contextlib import closing
from typing import Any, NoReturn

from werkzeug.serving import is_running_from_reloader, run_simple

from application.libs.declaration import DeclarationError
from application.libs.host import is_loopback

Answer = Iterable[bytes]
Wsgi = Callable[..., Answer]

LISTENING = "WERKZEUG_SERVER_FD"
"""In which variable Werkzeug's reloader hands the listening socket to the process that it starts again."""

TITLE = "The application does not start"
HIDDEN = "The console of the server says why."


def described(error: BaseException) -> str:
    """Return what went wrong: a slip of a declaration or of the syntax shortly, anything else with its traceback."""
    if isinstance(error, DeclarationError):
        return f"Error: {error}"
    if isinstance(error, SyntaxError):
        return "".join(traceback.format_exception_only(error)).rstrip()
    return "".join(traceback.format_exception(error)).rstrip()


def stand_in(error: BaseException, *, tells: bool) -> Wsgi:
    """Return what answers every request with the failure, as a page or as a problem; `tells` shows what it is."""
    said = described(error) if tells else HIDDEN

    def answer(environ: dict[str, Any], start_response: Callable[..., object]) -> Answer:
        if "text/html" in environ.get("HTTP_ACCEPT", ""):
            media_type, body = "text/html; charset=utf-8", f"<title>{TITLE}</title><pre>{html.escape(said)}</pre>"
        else:
            problem = {"type": "about:blank", "title": TITLE, "status": 503, "detail": said}
            media_type, body = "application/problem+json", json.dumps(problem, ensure_ascii=False)
        start_response("503 Service Unavailable", [("Content-Type", media_type), ("Cache-Control", "no-store")])
        return [body.encode(errors="backslashreplace")]

    return answer


def tell(error: BaseException) -> None:
    """Write on the console what went wrong."""
    sys.stderr.write(f"{described(error)}\n")
    sys.stderr.flush()


def end(error: Exception) -> NoReturn:
    """Tell why there are no commands; in the reloader's child stand in first, until a file changes."""
    tell(error)
    if is_running_from_reloader():
        sys.stderr.write("Waiting for the next change of a file.\n")
        host, port = _address(int(os.environ[LISTENING]))
        run_simple(host, port, stand_in(error, tells=is_loopback(host)), use_reloader=True, threaded=True)
    raise SystemExit(1)


def _address(descriptor: int) -> tuple[str, int]:
    """Return where the socket listens that the reloader handed over."""
    with closing(socket.socket(fileno=os.dup(descriptor))) as listening:
        host, port, *_scope = listening.getsockname()
        return host, port
