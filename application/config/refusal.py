"""Say which settings, each valid alone, cannot work together; a line names the variable and the cure."""

from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit

from application.config import address, secret
from application.config.choice import AsyncMode, FileStorage, Opening, RunnerMode
from application.config.file_variable import FileVariables
from application.config.variable import ROOT, Variables
from application.libs.host import HostNames, is_loopback
from application.libs.outbound import Outbound, Refused


def refusals(settings: FileVariables) -> list[str]:
    """List why these settings, each valid alone, cannot work together."""
    rules = [*_anywhere(settings), *_about_files(settings)]
    if settings.production:
        rules += _in_production(settings)
    return [reason for broken, reason in rules if broken]


def _anywhere(settings: Variables) -> list[tuple[bool, str]]:
    green = settings.async_mode is not AsyncMode.THREADING
    inline = settings.runner is RunnerMode.INLINE
    own_process = settings.runner is RunnerMode.AUTO and not settings.testing
    since, sunset = settings.v1_deprecated_at, settings.v1_sunset_at
    fault_of_url = _fault_of_url(settings)
    exposed = settings.production or not is_loopback(settings.host)
    return [
        (
            inline and settings.workers > 1,
            "RUNNER=inline would fire jobs in every worker: set RUNNER=auto, or WORKERS=1",
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
            since is not None and sunset is not None and sunset < since,
            "V1_SUNSET_AT lies before V1_DEPRECATED_AT: clients are to move in between, name a later time",
        ),
        (
            settings.mail_password is not None and settings.mail_username is None,
            "MAIL_PASSWORD stands alone: set MAIL_USERNAME too, or leave both out",
        ),
        (
            bool(settings.webhook_hosts) and settings.webhook_secret is None,
            "WEBHOOK_HOSTS would be told what nobody has signed: set WEBHOOK_SECRET to the output of "
            f"`{secret.WEBHOOK_RECIPE}`",
        ),
        (
            any(name not in HostNames(settings.webhook_hosts) for name in settings.webhook_private_hosts),
            "WEBHOOK_PRIVATE_HOSTS names hosts that WEBHOOK_HOSTS does not: name them there, too",
        ),
        (
            fault_of_url is not None,
            f"SCHEDULER_ALERT_WEBHOOK may not be called. {fault_of_url}; WEBHOOK_HOSTS lists the hosts",
        ),
        (
            settings.sms_url is not None and settings.sms_body is None,
            "SMS_URL stands alone: set SMS_BODY too, which says what is sent there, or leave both out",
        ),
        (
            settings.sms_url is None and (settings.sms_body is not None or settings.sms_headers is not None),
            "SMS_BODY and SMS_HEADERS go nowhere: set SMS_URL too, or leave all of them out",
        ),
    ]


def _fault_of_url(settings: Variables) -> str | None:
    """Say why the URL that is told alerts may not be called; no name is looked up."""
    if settings.scheduler_alert_webhook is None:
        return None

    def look_nothing_up(*_arguments: object, **_options: object) -> NoReturn:
        raise OSError

    outbound = Outbound(settings.webhook_hosts, settings.webhook_private_hosts, resolve=look_nothing_up)
    try:
        outbound.check_url(settings.scheduler_alert_webhook.get_secret_value())
    except Refused as refused:
        return str(refused)
    return None


def _about_files(settings: FileVariables) -> list[tuple[bool, str]]:
    wanted = {
        FileStorage.S3: ("s3_bucket", "s3_access_key_id", "s3_secret_access_key"),
        FileStorage.QINIU: ("qiniu_bucket", "qiniu_access_key", "qiniu_secret_key", "qiniu_domain"),
    }.get(settings.file_storage, ())
    missing = ", ".join(name.upper() for name in wanted if getattr(settings, name) is None)
    return [
        (bool(missing), f"FILE_STORAGE={settings.file_storage} wants {missing}: set them, or FILE_STORAGE=local"),
        (
            settings.file_quota_bytes < settings.file_max_bytes,
            "FILE_QUOTA_BYTES is less than one file may have: raise it, or lower FILE_MAX_BYTES",
        ),
        (
            settings.file_grant_seconds > settings.file_pending_hours * 3600,
            "FILE_GRANT_SECONDS is longer than an announced file is waited for: raise FILE_PENDING_HOURS, or lower it",
        ),
    ]


def _is_lost(directory: Path) -> bool:
    """Tell whether a directory does not outlast a reboot; within the project it lasts as long as that."""
    return address.is_temporary(directory) and not directory.is_relative_to(ROOT)


def _in_production(settings: FileVariables) -> list[tuple[bool, str]]:
    key = secret.fault_of_key(settings.secret_key.get_secret_value())
    plain_mail = settings.mail_password is not None and not settings.mail_use_tls and settings.mail_port != 465
    return [
        (key is not None, f"SECRET_KEY {key}: set it to the output of `{secret.RECIPE}`"),
        (
            settings.scheduler_api_open is Opening.YES,
            "SCHEDULER_API_OPEN=yes would let anybody run jobs: set SCHEDULER_API_OPEN=no, or even-in-production where "
            "nobody else reaches this server",
        ),
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
            settings.file_storage is FileStorage.LOCAL and _is_lost(settings.file_directory),
            "FILE_DIRECTORY lies in a temporary directory, lost at a reboot: name one that stays",
        ),
        (
            plain_mail and not is_loopback(settings.mail_server),
            "MAIL_PASSWORD would cross the network in clear: set MAIL_USE_TLS=1, or MAIL_PORT=465",
        ),
        *(
            (
                address.is_open(url),
                f"{name} names a server on another machine without a password: write …://:PASSWORD@HOST",
            )
            for name, url in (("REDIS_URL", settings.redis_url), ("BROKER_URL", settings.broker_url))
        ),
        (
            _is_clear(settings.public_url),
            "PUBLIC_URL would let links to choose a password cross the network in clear: write https://…",
        ),
        (
            _sends_sms_in_clear(settings),
            "SMS_URL would send codes across the network in clear: write https://…",
        ),
    ]


def _sends_sms_in_clear(settings: Variables) -> bool:
    return settings.sms_url is not None and _is_clear(settings.sms_url.get_secret_value())


def _is_clear(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme == "http" and not is_loopback(parts.hostname or "")
