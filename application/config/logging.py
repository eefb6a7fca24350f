"""Send every log line where it belongs: the shared file, the console, the mailbox."""

import json
import logging
import re
import sys
from collections.abc import Callable
from contextlib import ExitStack

from application.config.sender import mail_server
from application.config.setting import LogFormat, LogLevel, Settings, SettingsRefused
from application.libs.access_line import stamp
from application.libs.edge import REQUEST_ID
from application.libs.error_mail import ErrorMail
from application.libs.logfile import LogFile, escaped
from application.libs.redaction import MASK, Redaction
from application.libs.run_output import OutputTap

FILE_NAME = "application.log"

CONTINUATION = "    | "
"""Begins each line of a traceback, so that no text within one can pretend to be a record."""

QUIET = (
    "alembic",
    "apscheduler",
    "celery",
    "kombu",
    "engineio.client",
    "engineio.server",
    "socketio.client",
    "socketio.server",
)
"""Loggers that tell every step; the last four would add a console of their own if they had no level."""

COLOUR = re.compile(r"\x1b\[[0-9;]*m")
"""A terminal's escape sequence for the look of text (ECMA-48 §8.3.117)."""

STANDARD_MEMBERS = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


class TextFormatter(logging.Formatter):
    """Write a record for people: one line, then its traceback, without secrets and control characters."""

    def __init__(self, redact: Redaction) -> None:
        super().__init__()
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        """Return the text without its last newline."""
        message = escaped(self._redact(message_of(record)))
        head = f"{stamp(record.created)} {record.levelname} {record.name} [{REQUEST_ID.get()}] {message}"
        trace = self._redact(self._trace(record))
        return "\n".join([head, *(f"{CONTINUATION}{escaped(line)}" for line in trace.split("\n") if line)])

    def _trace(self, record: logging.LogRecord) -> str:
        parts = [self.formatException(record.exc_info)] if record.exc_info and record.exc_info[0] else []
        if record.stack_info:
            parts.append(record.stack_info)
        return "\n".join(parts)


class JsonFormatter(TextFormatter):
    """Write a record for machines: one JSON object on one line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the object; what `extra=` brought stands under `extra`."""
        members: dict[str, object] = {
            "time": stamp(record.created),
            "level": record.levelname,
            "logger": record.name,
            "request_id": REQUEST_ID.get(),
            "message": self._redact(message_of(record)),
        }
        trace = self._trace(record)
        if trace:
            members["exception"] = self._redact(trace)
        extra = {name: value for name, value in vars(record).items() if name not in STANDARD_MEMBERS}
        if extra:
            members["extra"] = {name: self._member(name, value) for name, value in extra.items()}
        return escaped(json.dumps(members, ensure_ascii=False))

    def _member(self, name: str, value: object) -> str:
        return MASK if self._redact(f"{name}=x") != f"{name}=x" else self._redact(str(value))


class FileHandler(logging.Handler):
    """Write records to the file that all processes share."""

    def __init__(self, file: LogFile) -> None:
        super().__init__()
        self._file = file

    def emit(self, record: logging.LogRecord) -> None:
        """Append the record in one piece."""
        try:
            self._file.write(f"{self.format(record)}\n".encode(errors="backslashreplace"))
        except Exception:
            self.handleError(record)


class ConsoleHandler(logging.Handler):
    """Write records to whatever is the standard error at the moment."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record."""
        try:
            sys.stderr.write(f"{self.format(record)}\n")
        except Exception:
            self.handleError(record)


class _Installed:
    """Remember what is configured in this process, to undo it."""

    def __init__(self) -> None:
        self.undo = ExitStack()
        self.file: LogFile | None = None
        self.console = False


_INSTALLED = _Installed()


def configure(settings: Settings) -> Callable[[bytes], None]:
    """Set logging up for this process, in place of what was; return what writes access lines."""
    reset()
    path = settings.log_directory / FILE_NAME
    try:
        file = LogFile(path, max_bytes=settings.log_max_bytes, backups=settings.log_backups)
    except OSError as error:
        message = f"LOG_DIRECTORY {path.parent} cannot be written ({error.strerror}): name another, or make it yours"
        raise SettingsRefused(message) from None
    _INSTALLED.file, _INSTALLED.console = file, settings.console
    _INSTALLED.undo.callback(file.close)
    redact = Redaction(settings.secrets())
    formatter = JsonFormatter(redact) if settings.log_format is LogFormat.JSON else TextFormatter(redact)
    handlers: list[logging.Handler] = [FileHandler(file)]
    if settings.error_mail_to:
        handlers.append(_mail(settings))
    for handler in handlers:
        handler.setFormatter(TextFormatter(redact) if isinstance(handler, ErrorMail) else formatter)
        _INSTALLED.undo.callback(handler.close)
        _attach(logging.getLogger(), handler)
    tap = OutputTap()
    tap.setFormatter(TextFormatter(redact))
    _attach(logging.getLogger(), tap)
    _join_gunicorn(handlers)
    if settings.console:
        console = ConsoleHandler()
        console.setFormatter(formatter)
        _attach(logging.getLogger(), console)
    _set_levels(settings.log_level)
    _leave_requests_to_the_edge()
    _play_down_strangers()
    return write_line


def reset() -> None:
    """Take back what `configure` did: handlers, levels, files, the mail thread."""
    _INSTALLED.file, _INSTALLED.console = None, False
    _INSTALLED.undo.close()


def write_line(line: bytes) -> None:
    """Write an access line that is complete, where logging is configured."""
    file = _INSTALLED.file
    if file is not None:
        file.write(line)
        if _INSTALLED.console:
            sys.stderr.write(line.decode())


def message_of(record: logging.LogRecord) -> str:
    """Return a record's message, also where its arguments do not fit."""
    try:
        return record.getMessage()
    except (TypeError, ValueError, KeyError):
        return f"{record.msg} {record.args!r}"


def _mail(settings: Settings) -> ErrorMail:
    return ErrorMail(server=mail_server(settings), sender=settings.error_mail_from, recipients=settings.error_mail_to)


def _attach(logger: logging.Logger, handler: logging.Handler) -> None:
    logger.addHandler(handler)
    _INSTALLED.undo.callback(logger.removeHandler, handler)


def _join_gunicorn(handlers: list[logging.Handler]) -> None:
    """Add the file and the mailbox to gunicorn's own log, which keeps to itself and has a console."""
    gunicorn = logging.getLogger("gunicorn.error")
    if not gunicorn.propagate:
        for handler in handlers:
            _attach(gunicorn, handler)


def _set_levels(level: LogLevel) -> None:
    _set_level(logging.getLogger(), level.value)
    quiet = level.value if level is LogLevel.DEBUG else max(logging.WARNING, logging.getLevelNamesMapping()[level])
    for name in QUIET:
        _set_level(logging.getLogger(name), quiet)


def _set_level(logger: logging.Logger, level: int | str) -> None:
    _INSTALLED.undo.callback(logger.setLevel, logger.level)
    logger.setLevel(level)


def _leave_requests_to_the_edge() -> None:
    """Drop the development server's request lines: they show query strings, and the edge has a line for each."""
    werkzeug = logging.getLogger("werkzeug")
    for keep in (_is_no_request_line, _uncoloured):
        if keep not in werkzeug.filters:  # another's would go with ours
            werkzeug.addFilter(keep)
            _INSTALLED.undo.callback(werkzeug.removeFilter, keep)


def _play_down_strangers() -> None:
    """Let no record of the socket libraries be worse than a warning: a stranger's odd request causes one."""
    for name in ("engineio.server", "socketio.server"):
        logger = logging.getLogger(name)
        logger.addFilter(_as_warning)
        _INSTALLED.undo.callback(logger.removeFilter, _as_warning)


def _as_warning(record: logging.LogRecord) -> bool:
    if record.levelno > logging.WARNING:
        record.levelno, record.levelname = logging.WARNING, logging.getLevelName(logging.WARNING)
    return True


def _uncoloured(record: logging.LogRecord) -> bool:
    """Take out the colours that Werkzeug writes into its texts, which would come out escaped."""
    record.msg = COLOUR.sub("", str(record.msg))
    return True


def _is_no_request_line(record: logging.LogRecord) -> bool:
    return '"%s" %s %s' not in str(record.msg)
