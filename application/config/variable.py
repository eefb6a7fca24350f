"""Declare every setting: its variable, type, bounds, default, and the line that says what it is for.

A new setting is a field here; `python -m application.config.example > .env.example` writes it down.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from application.config import address, secret
from application.config.choice import (
    AsyncMode,
    Environment,
    Language,
    LogFormat,
    LogLevel,
    MailBackend,
    Opening,
    RunnerMode,
    SmsMethod,
)
from application.libs import host, origin, sms, webhook_signature
from application.libs.instant import Instant
from application.libs.mail import mail_address, read_sender

ROOT = Path(__file__).resolve().parents[2]

KEY_FILE = ROOT / ".secret_key"

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")

MEBIBYTE = 1_048_576


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
    private = known.get("environment") is not Environment.PRODUCTION and host.is_loopback(known.get("host", ""))
    return LOOPBACK_NAMES if private else ()


def _readable(value: SecretStr | None, name: str, read: Callable[[str], object]) -> SecretStr | None:
    """Return a value that can be read, or refuse it by its name and without showing it."""
    try:
        if value is not None:
            read(value.get_secret_value())
    except ValueError as error:
        raise ValueError(f"{name} {error}") from None
    return value


def _default_mail_backend(known: dict[str, Any]) -> MailBackend:
    match known.get("environment"):
        case Environment.DEVELOPMENT:
            return MailBackend.CONSOLE
        case Environment.TESTING:
            return MailBackend.MEMORY
        case _:
            return MailBackend.SMTP


class Variables(BaseSettings):
    """Hold what was set, each value valid alone; the variable is the field's name in capitals."""

    model_config = SettingsConfigDict(
        defer_build=True,  # the class that is read is built, those it is made of are not
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
    workers: int = Field(1, ge=1, description="Web processes of gunicorn; sockets of more than one need websockets")
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
    trusted_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        default_factory=_default_trusted_hosts,
        description="Host names served, by commas, `.name` with its subdomains; empty: any, on loopback outside "
        "production only loopback",
    )
    cors_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Other sites whose pages may use API and sockets, by commas, as https://app.example; empty: none",
    )
    proxy_hops: int = Field(0, ge=0, le=10, description="Proxies in front whose X-Forwarded-* are believed")
    max_content_length: int = Field(MEBIBYTE, ge=1024, description="Largest body of a request in bytes")
    max_form_parts: int = Field(1000, ge=1, description="Most parts of a form")
    rate_limits_enabled: bool = Field(True, description="Whether routes that declare a limit count their callers")
    v1_deprecated_at: Instant | None = Field(
        None, description="Since when /api/v1 is deprecated, as 2027-01-31T00:00:00Z; empty: it is not"
    )
    v1_sunset_at: Instant | None = Field(None, description="When /api/v1 will be switched off; empty: not planned")
    database_url: str = Field(
        "sqlite:///application.db",
        description="sqlite:///FILE (from the project's root), postgresql://… or mysql://…",
    )
    database_pool_size: int = Field(10, ge=1, description="Connections a web process keeps to a database server")
    redis_url: str | None = Field(
        None,
        description="redis://… joins sockets, limits and known callers of several processes; empty: none",
    )
    broker_url: str = Field(
        "memory://",
        description="What rings for tasks: memory:// does them in the runner; redis://… or amqp://… in "
        "`manager.py worker`",
    )
    task_concurrency: int = Field(4, ge=1, le=1000, description="Tasks that the runner does at once, with memory://")
    task_queue_prefix: str = Field(
        "redprint", pattern=r"^[A-Za-z0-9_-]{1,50}$", description="What the names of queues begin with in a broker"
    )
    tasks_keep_days: int = Field(7, ge=1, le=36_500, description="Days for which tasks that have ended are kept")
    scheduler_enabled: bool = Field(True, description="Off: nothing is scheduled and its API does not exist")
    scheduler_api_prefix: str = Field(
        "/scheduler", pattern=r"^(/[A-Za-z0-9._-]+)+$", description="Where the scheduler's API is"
    )
    scheduler_api_enabled: bool = Field(True, description="Off: jobs fire, but the scheduler's API does not exist")
    scheduler_views_enabled: bool | None = Field(
        None, description="The old name of SCHEDULER_API_ENABLED; empty: unset"
    )
    scheduler_endpoint_prefix: str = Field(
        "scheduler.", max_length=50, description="What url_for puts before the names of the scheduler's endpoints"
    )
    scheduler_api_open: Opening = Field(
        Opening.NO,
        description="yes lets anybody use the scheduler's API; refused in production but for even-in-production",
    )
    scheduler_timezone: str = Field("UTC", description="Zone of times that name none, as Europe/Berlin")
    scheduler_allowed_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        ("*",), description="Names of the machines, by commas, whose runner may fire jobs"
    )
    scheduler_hold_below_mb: int = Field(
        0, ge=0, description="Megabytes of free memory below which no job is begun; 0: jobs begin whatever is free"
    )
    scheduler_jobstores: SecretStr | None = Field(
        None,
        description='Where jobs are kept, by alias, as JSON: {"default": {"type": "redis", "url": "redis://…"}}; '
        "empty: in the database",
    )
    scheduler_runs_keep_days: int = Field(
        30, ge=1, le=36_500, description="Days for which the ledger keeps what became of each fire"
    )
    scheduler_runs_keep_per_job: int = Field(
        1000, ge=1, le=10_000_000, description="Runs of one job that it keeps at most, the newest ones"
    )
    scheduler_alert_mail: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Who is mailed the alerts that jobs ask for, by commas; empty: nobody"
    )
    scheduler_alert_language: Language = Field(Language.ENGLISH, description="Language of these mails, en or zh")
    scheduler_alert_webhook: SecretStr | None = Field(
        None, description="URL that is told these alerts; its host stands in WEBHOOK_HOSTS; empty: none"
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
    webhook_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Hosts that webhooks may call, by https, by commas, `.name` with its subdomains; empty: none"
    )
    webhook_private_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Those of them that may have private addresses, and be called by http; empty: none"
    )
    webhook_secret: SecretStr | None = Field(
        None,
        description="Signs what webhooks send: whsec_ and 24 to 64 random bytes in Base64; two by a comma while one "
        "replaces the other",
    )
    mail_backend: MailBackend = Field(
        default_factory=_default_mail_backend,
        description="What becomes of messages by mail: smtp, console or memory; empty: console in development, memory "
        "in testing, else smtp",
    )
    mail_from: str = Field(
        "redprint@localhost", description="Sender of messages by mail, as Redprint <noreply@example.org>"
    )
    messages_keep_days: int = Field(
        90, ge=1, le=36_500, description="Days for which mail and short messages are kept, with what became of them"
    )
    audit_keep_days: int = Field(
        365, ge=1, le=36_500, description="Days for which is kept who did what to what, when and from where"
    )
    sms_url: SecretStr | None = Field(
        None,
        description="Where a provider takes short messages over HTTP; empty: console in development, else none is sent",
    )
    sms_method: SmsMethod = Field(SmsMethod.POST, description="How it is asked: POST, PUT or GET")
    sms_headers: SecretStr | None = Field(
        None, description='Headers of each request, as JSON: {"Authorization": "Bearer …"}; {id} is the message\'s id'
    )
    sms_body: SecretStr | None = Field(
        None,
        description='Body, JSON or form: {"to": "{to}", "text": "{text}"}, To={to}&Body={text}; {template} {language} '
        "{id} {code}",
    )
    sms_ok: str | None = Field(
        None,
        description='Regular expression of an answer that accepts, as "sid": "(?P<id>\\w+)"; empty: any with 2xx',
    )

    @field_validator(
        "trusted_hosts",
        "cors_origins",
        "scheduler_allowed_hosts",
        "error_mail_to",
        "scheduler_alert_mail",
        "webhook_hosts",
        "webhook_private_hosts",
        mode="before",
    )
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("trusted_hosts", "webhook_hosts", "webhook_private_hosts")
    @classmethod
    def _hosts(cls, value: tuple[str, ...], about: ValidationInfo) -> tuple[str, ...]:
        try:
            return tuple(map(host.canonical, value))
        except ValueError:
            name = str(about.field_name).upper()
            empty = "to serve any" if name == "TRUSTED_HOSTS" else "to call none"
            raise ValueError(
                f"{name} {','.join(value)} are not all host names: write them without scheme, port and *, or "
                f"leave it empty {empty}"
            ) from None

    @field_validator("webhook_secret")
    @classmethod
    def _webhook_secret(cls, value: SecretStr | None) -> SecretStr | None:
        try:
            webhook_signature.keys_of(value.get_secret_value() if value else "")
        except ValueError:
            raise ValueError(f"WEBHOOK_SECRET cannot sign: set it to the output of `{secret.WEBHOOK_RECIPE}`") from None
        return value

    @field_validator("cors_origins")
    @classmethod
    def _origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        try:
            return tuple(map(origin.canonical, value))
        except ValueError:
            raise ValueError(
                f"CORS_ORIGINS {','.join(value)} are not all origins: write each as https://app.example, with the port "
                "where it is not the usual one, without path and *"
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

    @field_validator("scheduler_alert_mail")
    @classmethod
    def _addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        try:
            return tuple(map(mail_address, value))
        except ValueError as error:
            raise ValueError(f"SCHEDULER_ALERT_MAIL names somebody who can get no mail: {error}") from None

    @field_validator("mail_from")
    @classmethod
    def _sender(cls, value: str) -> str:
        try:
            return read_sender(value)
        except ValueError as error:
            raise ValueError(f"MAIL_FROM is no sender, {error}: write Redprint <noreply@example.org>") from None

    @field_validator("sms_headers")
    @classmethod
    def _headers(cls, value: SecretStr | None) -> SecretStr | None:
        return _readable(value, "SMS_HEADERS", sms.read_headers)

    @field_validator("sms_body")
    @classmethod
    def _body(cls, value: SecretStr | None) -> SecretStr | None:
        return _readable(value, "SMS_BODY", sms.read_template)

    @field_validator("sms_url")
    @classmethod
    def _provider(cls, value: SecretStr | None) -> SecretStr | None:
        return _readable(value, "SMS_URL", sms.read_url)

    @field_validator("sms_ok")
    @classmethod
    def _pattern(cls, value: str | None) -> str | None:
        try:
            re.compile(value or "")
        except re.error as error:
            raise ValueError(f"SMS_OK is no regular expression ({error}): quote what is no part of it by \\") from None
        return value

    @field_validator("log_directory")
    @classmethod
    def _from_root(cls, value: Path) -> Path:
        return ROOT / value.expanduser()

    @property
    def testing(self) -> bool:
        """Tell whether this process is a test."""
        return self.environment is Environment.TESTING

    @property
    def production(self) -> bool:
        """Tell whether this process serves real people."""
        return self.environment is Environment.PRODUCTION
