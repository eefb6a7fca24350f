"""Name what a setting may choose from."""

from enum import StrEnum


class Environment(StrEnum):
    """Name what this process is for."""

    DEVELOPMENT = "development"
    TESTING = "testing"
    PRODUCTION = "production"


class AsyncMode(StrEnum):
    """Name how one process serves many clients at once."""

    THREADING = "threading"
    GEVENT = "gevent"
    EVENTLET = "eventlet"


class RunnerMode(StrEnum):
    """Name where jobs fire: auto is a child process under gunicorn, inline under runserver and in tests."""

    AUTO = "auto"
    INLINE = "inline"
    NONE = "none"


class LogFormat(StrEnum):
    """Name how a log line is written."""

    TEXT = "text"
    JSON = "json"


class LogLevel(StrEnum):
    """Name the least severe record that is kept."""

    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"
    CRITICAL = "CRITICAL"
