"""What limits look like on the wire."""

from datetime import datetime

from pydantic import Field

from application.libs.schema import Schema


class LimitOut(Schema):
    """Show how a limit does."""

    scope: str = Field(description="What it counts.", examples=["login-account"])
    most: int = Field(description="How many attempts each name or address has.", examples=[5])
    per_seconds: int = Field(description="In how many seconds.", examples=[300])
    counted: int = Field(description="How many names or addresses have attempts that count now.", examples=[3])
    held_back: int = Field(description="How many of them have none left.", examples=[1])
    refused: int = Field(description="How many attempts were refused since `since`.", examples=[17])
    since: datetime | None = Field(description="Since when they are counted: what was refused is remembered for a day.")
