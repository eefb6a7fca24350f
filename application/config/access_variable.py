"""Declare the settings of accounts: who may make one, how one signs in, and for how long."""

from typing import Any

from pydantic import Field, field_validator

from application.config.choice import Environment
from application.config.variable import Variables
from application.libs import origin


def _default_registration_open(known: dict[str, Any]) -> bool:
    return known.get("environment") is not Environment.PRODUCTION


class AccessVariables(Variables):
    """Hold who registers, for how long people are signed in, and what they show for it."""

    access_seconds: int = Field(900, ge=60, description="Life of an access token; 15 minutes")
    session_idle_seconds: int = Field(
        604_800, ge=300, description="Life of a session that is not refreshed; 7 days, the life of a refresh token"
    )
    session_max_seconds: int = Field(2_592_000, ge=300, description="Life of a session in all; 30 days")
    second_factor_for_admins: bool = Field(
        False, description="On: who may manage users or the scheduler may do so only after showing a second factor"
    )
    second_factor_issuer: str = Field(
        "Redprint",
        pattern=r"^[^:%\x00-\x1f]{1,50}$",
        description="What apps that show codes call this server; no colon (the format of otpauth://)",
    )
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
