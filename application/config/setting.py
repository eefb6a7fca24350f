"""Read the settings from the environment and `.env`, and refuse those that cannot work.

Nothing is read at import: `load_settings()` reads, and whoever starts the process calls it.
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict, SettingsError

from application.config import address, secret
from application.config.choice import AsyncMode, Environment, LogFormat, LogLevel, RunnerMode
from application.libs.host import canonical
from application.libs.redaction import Redaction

__all__ = [
    "ROOT",
    "AsyncMode",
    "Environment",
    "LogFormat",
    "LogLevel",
    "RunnerMode",
    "Settings",
    "SettingsRefused",
    "load_settings",
    "settings_or_exit",
]

ROOT = Path(__file__).resolve().parents[2]

KEY_FILE = ROOT / ".secret_key"

EXIT_REFUSED = 78  # EX_CONFIG of sysexits.h: a supervisor can tell a refusal from a crash

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")

MEBIBYTE = 1_048_576


class SettingsRefused(Exception):
    """The settings cannot work; the text is one line that names the variable and the cure."""


def _default_secret_key(known: dict[str, Any]) -> SecretStr:
    match known.get("environment"):
        case Environment.DEVELOPMENT:
            return SecretStr(secret.key_of_file(KEY_FILE))
        case Environment.TESTING:
            return SecretStr(secret.new_key())
        case _:
            return SecretStr("")


def _default_async_mode(known: dict[str, Any]) -> AsyncMode:
    return AsyncMode.THREADING if known.get("environment") is Environment.TESTING else AsyncMode.GEVENT


def _default_sample_data(known: dict[str, Any]) -> bool:
    return known.get("environment") is Environment.DEVELOPMENT


def _default_trusted_hosts(known: dict[str, Any]) -> tuple[str, ...]:
    private = known.get("environment") is not Environment.PRODUCTION and address.is_loopback(known.get("host", ""))
    return LOOPBACK_NAMES if private else ()


class Settings(BaseSettings):
    """Hold every setting of a process; the variable is the field's name in capitals."""

    model_config = SettingsConfigDict(
        env_file=ROOT / ".env",
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
        validate_default=True,
    )

    environment: Environment = Field(
        Environment.DEVELOPMENT, description="development, testing or production; production refuses unsafe settings"
    )
    flask_debug: bool = Field(False, description="Debugger and reload of `manager.py runserver`; development only")
    host: str = Field("127.0.0.1", description="Address to listen on; 0.0.0.0 lets other machines in")
    port: int = Field(5000, ge=0, le=65535, description="Port to listen on; 0 takes a free one")
    workers: int = Field(1, ge=1, description="Web processes of gunicorn; more than one is refused until it is safe")
    worker_connections: int = Field(1000, ge=1, description="Connections one gevent or eventlet worker holds at once")
    threads: int = Field(32, ge=10, description="Threads of a worker in threading mode; each open socket keeps one")
    async_mode: AsyncMode = Field(
        default_factory=_default_async_mode,
        description="threading, gevent or eventlet; empty: gevent, in testing threading; never guessed",
    )
    runner: RunnerMode = Field(
        RunnerMode.AUTO, description="Where jobs and tasks run: auto, inline, or none where a service of its own does"
    )
    graceful_timeout_seconds: int = Field(10, ge=1, le=600, description="Time for open requests and jobs when stopping")
    secret_key: SecretStr = Field(
        default_factory=_default_secret_key,
        description="Signs what is signed, 32 characters or more; empty: a key file in development, refused in "
        "production",
    )
    admin_password: SecretStr | None = Field(
        None, description="Password of the first administrator; empty: a random one, printed once"
    )
    sample_data: bool = Field(
        default_factory=_default_sample_data,
        description="Whether a first start loads sample users, tags and blogs; empty: only in development",
    )
    token_ttl_seconds: int = Field(43_200, ge=60, description="Life of a login; 12 hours, after NIST SP 800-63B")
    trusted_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        default_factory=_default_trusted_hosts,
        description="Host names served, by commas, `.name` with its subdomains; empty: any, on loopback outside "
        "production only loopback",
    )
    proxy_hops: int = Field(0, ge=0, le=10, description="Proxies in front whose X-Forwarded-* are believed")
    max_content_length: int = Field(MEBIBYTE, ge=1024, description="Largest body of a request in bytes")
    max_form_parts: int = Field(1000, ge=1, description="Most parts of a form")
    database_url: str = Field(
        "sqlite:///application.db",
        description="sqlite:///FILE (from the project's root), postgresql://… or mysql://…",
    )
    database_pool_size: int = Field(10, ge=1, description="Connections a web process keeps to a database server")
    redis_url: str | None = Field(None, description="redis://… joins the sockets of several processes; empty: none")
    broker_url: str = Field(
        "memory://",
        description="How tasks will be rung: memory:// in the runner, redis://… or amqp://…; not used yet",
    )
    scheduler_enabled: bool = Field(True, description="Off: nothing is scheduled and its API does not exist")
    scheduler_api_prefix: str = Field(
        "/scheduler", pattern=r"^(/[A-Za-z0-9._-]+)+$", description="Where the scheduler's API is"
    )
    scheduler_timezone: str = Field("UTC", description="Zone of times that name none, as Europe/Berlin")
    scheduler_allowed_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        ("*",), description="Names of the machines, by commas, whose runner may fire jobs"
    )
    ws_open: bool | None = Field(
        None, description="Whether /ws takes viewers without a token; empty: in development on loopback only"
    )
    log_level: LogLevel = Field(LogLevel.INFO, description="DEBUG, INFO, WARNING, ERROR or CRITICAL")
    log_format: LogFormat = Field(LogFormat.TEXT, description="text for people, json for machines")
    log_directory: Path = Field(Path("logs"), description="Where application.log is written, from the project's root")
    log_max_bytes: int = Field(10 * MEBIBYTE, ge=4096, description="Size at which the log file is rotated")
    log_backups: int = Field(5, ge=1, le=999, description="Rotated log files kept")
    log_console: bool | None = Field(None, description="Whether to log to the console too; empty: in development only")
    error_mail_to: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Who is mailed when something fails, by commas, at most once a minute; empty: nobody"
    )
    error_mail_from: str = Field("redprint@localhost", description="Sender of these mails")
    mail_server: str = Field("localhost", description="SMTP server")
    mail_port: int = Field(25, ge=1, le=65535, description="Its port; 465 speaks TLS from the first byte")
    mail_username: str | None = Field(None, description="Name for the SMTP server; empty: no login")
    mail_password: SecretStr | None = Field(None, description="Password for the SMTP server")
    mail_use_tls: bool = Field(False, description="Whether to turn on TLS by STARTTLS")

    @field_validator("trusted_hosts", "scheduler_allowed_hosts", "error_mail_to", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("trusted_hosts")
    @classmethod
    def _hosts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        try:
            return tuple(map(canonical, value))
        except ValueError:
            raise ValueError(
                f"TRUSTED_HOSTS {','.join(value)} are not all host names: write them without scheme, port and *, or "
                "leave it empty to serve any"
            ) from None

    @field_validator("log_level", mode="before")
    @classmethod
    def _capitals(cls, value: object) -> object:
        return value.upper() if isinstance(value, str) else value

    @field_validator("database_url")
    @classmethod
    def _database(cls, value: str) -> str:
        return address.with_our_driver(value, root=ROOT)

    @field_validator("redis_url")
    @classmethod
    def _redis(cls, value: str | None) -> str | None:
        return None if value is None else address.checked(value, "REDIS_URL", address.REDIS_SCHEMES)

    @field_validator("broker_url")
    @classmethod
    def _broker(cls, value: str) -> str:
        return address.checked(value, "BROKER_URL", address.BROKER_SCHEMES)

    @field_validator("scheduler_timezone")
    @classmethod
    def _zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, OSError, ValueError):
            raise ValueError("SCHEDULER_TIMEZONE is no known zone: name one as Europe/Berlin, or UTC") from None
        return value

    @field_validator("log_directory")
    @classmethod
    def _from_root(cls, value: Path) -> Path:
        return ROOT / value.expanduser()

    @model_validator(mode="after")
    def _refuse(self) -> Self:
        for refusal in refusals(self):
            raise ValueError(refusal)
        return self

    def __repr_args__(self) -> Any:
        """Show every setting but no secret, not even the password within a URL."""
        redaction = Redaction()
        for name, value in super().__repr_args__():
            yield name, redaction(value) if isinstance(value, str) else value

    @property
    def debug(self) -> bool:
        """Tell whether the debugger may run: asked for, and in development."""
        return self.flask_debug and self.environment is Environment.DEVELOPMENT

    @property
    def testing(self) -> bool:
        """Tell whether this process is a test."""
        return self.environment is Environment.TESTING

    @property
    def production(self) -> bool:
        """Tell whether this process serves real people."""
        return self.environment is Environment.PRODUCTION

    @property
    def ws_is_open(self) -> bool:
        """Tell whether /ws takes viewers without a token."""
        if self.ws_open is None:
            return self.environment is Environment.DEVELOPMENT and address.is_loopback(self.host)
        return self.ws_open

    @property
    def socket_limit(self) -> int:
        """Return how many sockets a worker holds; the threads or connections beyond stay free for requests."""
        if self.async_mode is AsyncMode.THREADING:
            return self.threads - 8
        return max(2, self.worker_connections - 50, self.worker_connections // 2)

    @property
    def console(self) -> bool:
        """Tell whether log lines go to the console too."""
        return self.environment is Environment.DEVELOPMENT if self.log_console is None else self.log_console

    def secrets(self) -> list[str]:
        """List every secret text in these settings, for whoever must keep them out of sight."""
        kept = [value.get_secret_value() for value in dict(self).values() if isinstance(value, SecretStr)]
        kept += [
            word for url in (self.database_url, self.redis_url, self.broker_url) for word in address.passwords(url)
        ]
        return [value for value in kept if value]

    def flask(self) -> Mapping[str, Any]:
        """Give what `app.config` takes."""
        return {
            "DEBUG": self.debug,
            "TESTING": self.testing,
            "SECRET_KEY": self.secret_key.get_secret_value(),
            "SQLALCHEMY_DATABASE_URI": self.database_url,
            "MAX_CONTENT_LENGTH": self.max_content_length,
            "MAX_FORM_PARTS": self.max_form_parts,
            "TRUSTED_HOSTS": None,  # the edge judges the host of every request, the sockets' too, and knows IPv6
            "SESSION_COOKIE_SECURE": self.production,
            "SESSION_COOKIE_HTTPONLY": True,
            "SESSION_COOKIE_SAMESITE": "Lax",
            "PREFERRED_URL_SCHEME": "https" if self.production else "http",
            "SCHEDULER_API_ENABLED": False,  # Flask-APScheduler's own routes run any importable function; ours do not
            "SCHEDULER_API_PREFIX": self.scheduler_api_prefix,
            "SCHEDULER_ALLOWED_HOSTS": list(self.scheduler_allowed_hosts),
            "SCHEDULER_TIMEZONE": self.scheduler_timezone,
            "SCHEDULER_JOB_DEFAULTS": {"misfire_grace_time": 60, "coalesce": True, "max_instances": 1},
        }


def refusals(settings: Settings) -> list[str]:
    """List why these settings, each valid alone, cannot work together."""
    rules = [*_anywhere(settings)]
    if settings.production:
        rules += _in_production(settings)
    return [reason for broken, reason in rules if broken]


def _anywhere(settings: Settings) -> list[tuple[bool, str]]:
    green = settings.async_mode is not AsyncMode.THREADING
    inline = settings.runner is RunnerMode.INLINE
    own_process = settings.runner is RunnerMode.AUTO and not settings.testing
    exposed = settings.production or not address.is_loopback(settings.host)
    return [
        (
            inline and settings.workers > 1,
            "RUNNER=inline would fire jobs in every worker: set RUNNER=auto, or WORKERS=1",
        ),
        (
            settings.workers > 1,
            "WORKERS: more than one worker needs the leader-elected scheduler, which is not there yet: set WORKERS=1",
        ),
        (
            inline and green,
            f"RUNNER=inline runs jobs on threads, which hang in a {settings.async_mode} worker: set RUNNER=auto, or "
            "ASYNC_MODE=threading",
        ),
        (
            own_process and address.in_memory(settings.database_url) and not settings.production,
            "DATABASE_URL names a database in memory, which the runner's process cannot see: name a file, or set "
            "RUNNER=inline with ASYNC_MODE=threading",
        ),
        (
            settings.ws_open is True and exposed and not settings.testing,
            "WS_OPEN=1 would show the machine to everybody: set WS_OPEN=0, it opens on loopback in development only",
        ),
        (
            secret.is_known_password(settings.admin_password),
            "ADMIN_PASSWORD is one that everybody tries first: choose another, or leave it out and a random one is "
            "printed once",
        ),
        (
            settings.mail_password is not None and settings.mail_username is None,
            "MAIL_PASSWORD stands alone: set MAIL_USERNAME too, or leave both out",
        ),
    ]


def _in_production(settings: Settings) -> list[tuple[bool, str]]:
    key = secret.fault_of_key(settings.secret_key.get_secret_value())
    plain_mail = settings.mail_password is not None and not settings.mail_use_tls and settings.mail_port != 465
    return [
        (key is not None, f"SECRET_KEY {key}: set it to the output of `{secret.RECIPE}`"),
        (settings.flask_debug, "FLASK_DEBUG opens a shell to whoever meets an error: leave it out in production"),
        (
            address.in_memory(settings.database_url),
            "DATABASE_URL names a database in memory, lost at every stop: name a file or a server",
        ),
        (
            address.in_temporary_directory(settings.database_url),
            "DATABASE_URL names a file in a temporary directory, lost at a reboot: name one that stays",
        ),
        (
            plain_mail and not address.is_loopback(settings.mail_server),
            "MAIL_PASSWORD would cross the network in clear: set MAIL_USE_TLS=1, or MAIL_PORT=465",
        ),
    ]


def load_settings(**overrides: Any) -> Settings:
    """Read the settings; a keyword wins over the environment, which wins over `.env`.

    Raises SettingsRefused with a one-line reason. `_env_file=None` reads no file.
    """
    unknown = overrides.keys() - Settings.model_fields.keys() - {"_env_file"}
    if unknown:
        raise TypeError(f"no such setting: {', '.join(sorted(unknown))}; Settings lists them")
    try:
        return Settings(**overrides)
    except ValidationError as error:
        faults = [fault for fault in error.errors(include_url=False) if fault["type"] != "default_factory_not_called"]
        raise SettingsRefused("; ".join(map(_reason, faults))) from None
    except secret.KeyFileError as error:
        raise SettingsRefused(str(error)) from None
    except (OSError, UnicodeDecodeError, SettingsError) as error:
        raise SettingsRefused(f".env cannot be read ({type(error).__name__}): make it UTF-8 text and yours") from None


def settings_or_exit(**overrides: Any) -> Settings:
    """Read the settings, or end the process with the reason in one line and exit code 78."""
    try:
        return load_settings(**overrides)
    except SettingsRefused as refused:
        sys.stderr.write(f"redprint does not start: {refused}\n")
        raise SystemExit(EXIT_REFUSED) from None


def _reason(fault: Mapping[str, Any]) -> str:
    if fault["type"] == "value_error":
        return str(fault["ctx"]["error"])
    name = str(fault["loc"][0])
    said = fault["msg"][:1].lower() + fault["msg"][1:]
    default = Settings.model_fields[name].default
    cure = "" if default in (None, ...) or repr(default) == "PydanticUndefined" else f"; the default is {default}"
    return f"{name.upper()}: {said}{cure}"
