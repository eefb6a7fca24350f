"""Declare the settings of accounts: who may make one, and where the pages are that mail leads to."""

from typing import Any

from pydantic import Field, field_validator

from application.config.choice import Environment
from application.config.file_variable import FileVariables
from application.libs import origin


def _default_registration_open(known: dict[str, Any]) -> bool:
    return known.get("environment") is not Environment.PRODUCTION


class AccountVariables(FileVariables):
    """Hold what was set of accounts, beside everything else."""

    registration_open: bool = Field(
        default_factory=_default_registration_open,
        description="Whether people register by themselves; empty: not in production",
    )
    public_url: str = Field(
        "",
        description="Where people reach this site, as https://app.example, for links in mail; empty: codes only",
    )

    @field_validator("public_url")
    @classmethod
    def _public(cls, value: str) -> str:
        try:
            return value and origin.canonical(value.rstrip("/"))
        except ValueError:
            raise ValueError(
                f"PUBLIC_URL {value} is no origin: write it as https://app.example, without a path"
            ) from None
