"""Read the settings from the environment and `.env`, and refuse those that cannot work.

Each setting is declared in `variable.py`; which of them refuse each other stands in `refusal.py`. Nothing is read at
import: `load_settings()` reads, and whoever starts the process calls it.
"""

import sys
from collections.abc import Mapping
from typing import Any, Self

from pydantic import SecretStr, ValidationError, model_validator
from pydantic_settings import SettingsError

from application.config import address, secret
from application.config.choice import AsyncMode, Environment, FileStorage, LogFormat, LogLevel, RunnerMode
from application.config.file_variable import FileVariables
from application.config.refusal import refusals
from application.config.variable import ROOT
from application.libs import jobstore, sms
from application.libs.declaration import StartRefused
from application.libs.host import is_loopback
from application.libs.redaction import Redaction
from application.libs.storage.place import LocalPlace, Place, QiniuPlace, S3Place

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

FORM_BYTES = 65_536
"""What the form around a file takes at most."""

EXIT_REFUSED = 78  # EX_CONFIG of sysexits.h: a supervisor can tell a refusal from a crash


class SettingsRefused(StartRefused):
    """The settings cannot work; the text is one line that names the variable and the cure."""


class Settings(FileVariables):
    """Hold every setting of a process: variables that work together, and what follows from them."""

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
    def ws_is_open(self) -> bool:
        """Tell whether /ws takes viewers without a token."""
        if self.ws_open is None:
            return self.environment is Environment.DEVELOPMENT and is_loopback(self.host)
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

    @property
    def debug(self) -> bool:
        """Tell whether the debugger may run: asked for, and in development."""
        return self.flask_debug and self.environment is Environment.DEVELOPMENT

    @property
    def storage_place(self) -> Place:
        """Return where files are kept; that everything is said was checked."""
        if self.file_storage is FileStorage.S3:
            return S3Place(
                self.s3_bucket or "",
                self.s3_access_key_id or "",
                _text(self.s3_secret_access_key),
                self.s3_region,
                self.s3_endpoint_url,
            )
        if self.file_storage is FileStorage.QINIU:
            return QiniuPlace(
                self.qiniu_bucket or "",
                self.qiniu_access_key or "",
                _text(self.qiniu_secret_key),
                self.qiniu_domain or "",
                self.qiniu_upload_url,
                self.qiniu_manage_url,
                self.qiniu_list_url,
            )
        return LocalPlace(self.file_directory, _text(self.secret_key))

    def secrets(self) -> list[str]:
        """List every secret text in these settings, for whoever must keep them out of sight."""
        kept = [value.get_secret_value() for value in dict(self).values() if isinstance(value, SecretStr)]
        kept += [
            word for url in (self.database_url, self.redis_url, self.broker_url) for word in address.passwords(url)
        ]
        if self.webhook_secret is not None:
            kept += map(str.strip, self.webhook_secret.get_secret_value().split(","))
        if self.scheduler_jobstores is not None:
            kept += jobstore.passwords(self.scheduler_jobstores.get_secret_value())
        if self.sms_headers is not None:
            kept += sms.read_headers(self.sms_headers.get_secret_value()).values()
        if self.sms_body is not None:
            kept += sms.read_template(self.sms_body.get_secret_value()).constants()
        return [value for value in kept if value]

    def flask(self) -> Mapping[str, Any]:
        """Give what `app.config` takes."""
        return {
            "DEBUG": self.debug,
            "TESTING": self.testing,
            "SECRET_KEY": self.secret_key.get_secret_value(),
            "SQLALCHEMY_DATABASE_URI": self.database_url,
            "MAX_CONTENT_LENGTH": self.max_content_length,
            "FILE_MAX_BODY": self.file_max_bytes + FORM_BYTES,
            "MAX_FORM_PARTS": self.max_form_parts,
            "TRUSTED_HOSTS": None,  # the edge judges the host of every request, the sockets' too, and knows IPv6
            "SESSION_COOKIE_SECURE": self.production,
            "SESSION_COOKIE_HTTPONLY": True,
            "SESSION_COOKIE_SAMESITE": "Lax",
            "PREFERRED_URL_SCHEME": "https" if self.production else "http",
        }


def _text(value: SecretStr | None) -> str:
    return "" if value is None else value.get_secret_value()


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
