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


class Opening(StrEnum):
    """Say whether something that is closed by default stands open."""

    NO = "no"
    YES = "yes"
    EVEN_IN_PRODUCTION = "even-in-production"


class RunnerMode(StrEnum):
    """Name where jobs fire: auto is a child process under gunicorn, inline under runserver and in tests."""

    AUTO = "auto"
    INLINE = "inline"
    NONE = "none"


class Language(StrEnum):
    """Name a language there are texts in."""

    ENGLISH = "en"
    CHINESE = "zh"


class FileStorage(StrEnum):
    """Name where files are kept."""

    LOCAL = "local"
    S3 = "s3"
    QINIU = "qiniu"


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


class MailBackend(StrEnum):
    """Say what becomes of mail: it is handed to the server, shown on the console, or kept in memory."""

    SMTP = "smtp"
    CONSOLE = "console"
    MEMORY = "memory"


class SmsMethod(StrEnum):
    """Say how a provider of short messages is asked."""

    GET = "GET"
    POST = "POST"
    PUT = "PUT"
