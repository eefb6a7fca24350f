"""Declare the settings of signing in, beside those of everything else."""

from pydantic import Field

from application.config.variable import Variables


class AccessVariables(Variables):
    """Hold for how long people are signed in, and what they show for it."""

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
