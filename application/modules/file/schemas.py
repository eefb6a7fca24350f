"""What files look like on the wire."""

from datetime import datetime
from typing import Annotated

from pydantic import Field, StringConstraints

from application.libs.filter import (
    After,
    AtLeast,
    AtMost,
    AtOrAfter,
    AtOrBefore,
    Before,
    Contains,
    Equals,
    FilterText,
    GreaterThan,
    LessThan,
    StartsWith,
)
from application.libs.schema import ONE_LINE, Ident, Int64, PageQuery, Schema, Trimmed, Upload
from application.modules.file.models import NAME_LENGTH, State

FileId = Annotated[str, Field(description="The file's id.")]

Size = Annotated[Int64, Field(examples=[1024])]
FileName = Annotated[str, StringConstraints(min_length=1, max_length=NAME_LENGTH, pattern=ONE_LINE), Trimmed]
MediaType = Annotated[
    str, StringConstraints(max_length=100, pattern=r"^[a-z0-9!#$&^_.+-]+/[a-z0-9!#$&^_.+-]+$", to_lower=True)
]
StateOut = Annotated[str, Field(json_schema_extra={"enum": [state.value for state in State]})]
Signature = Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$", max_length=64)]
Expires = Annotated[int, Field(ge=0, le=2**40)]


class FileFiles(Schema):
    """Carry a file, under its name and with its media type."""

    file: Upload


class SignedForm(Schema):
    """Show that the upload was authorised: the `fields` of the authorisation."""

    expires: Expires = Field(
        description="When the authorisation ends, in seconds since 1970.", examples=[1_900_000_000]
    )
    signature: Signature = Field(examples=["0" * 64])


class SignedQuery(Schema):
    """Show that the link was given by us."""

    expires: Expires = Field(description="When the link ends, in seconds since 1970.", examples=[1_900_000_000])
    signature: Signature = Field(description="What we signed it with.", examples=["0" * 64])


class FileAuthorisationIn(Schema):
    """Announce a file that the browser will send by itself."""

    name: FileName = Field(examples=["photo.png"])
    size: Annotated[int, Field(ge=1, le=2**53)] = Field(description="Its length in bytes.", examples=[1024])
    media_type: MediaType = Field(examples=["image/png"])


class FileAuthorisationOut(Schema):
    """Say how the file is sent: a form with these fields, and behind them the file."""

    id: Ident
    method: str = Field(examples=["POST"])
    url: str = Field(examples=["https://files.example/"])
    fields: dict[str, str] = Field(examples=[{"key": "incoming/0123", "signature": "4567"}])
    file_field: str = Field(examples=["file"], description="What the form calls the file.")
    expires_at: datetime


class FileLinkOut(Schema):
    """Give a URL that gives the file to whoever has it."""

    url: str = Field(examples=["https://files.example/0123?signature=4567"])
    expires_at: datetime


class FileOut(Schema):
    """Show a file."""

    id: Ident
    owner_id: Ident
    name: str = Field(examples=["photo.png"])
    media_type: str = Field(examples=["image/png"])
    size: int = Field(examples=[1024], description="In bytes.")
    sha256: str | None = Field(examples=["0" * 64], description="Of its content; null while it is pending.")
    state: StateOut = Field(examples=["ready"], description="pending, ready or deleted")
    has_thumbnail: bool = Field(examples=[True])
    created_at: datetime
    confirmed_at: datetime | None
    deleted_at: datetime | None


class FileUsageOut(Schema):
    """Show how much room one takes and has."""

    used_bytes: int = Field(examples=[1024])
    used_count: int = Field(examples=[1])
    quota_bytes: int = Field(examples=[1_073_741_824])
    quota_count: int = Field(examples=[1000])
    max_bytes: int = Field(examples=[10_485_760], description="How long one file may be.")
    media_types: list[str] = Field(examples=[["image/png"]], description="What a file may be.")


class FileQuery(PageQuery):
    """Choose files."""

    sort: str = Field(
        "-created_at",
        max_length=50,
        description="A minus in front reverses the order.",
        examples=["-created_at", "name"],
    )
    state: State = Field(State.READY, description="Only files of this state.")
    owner: Ident | None = Field(None, description="Only files of this user; others' are for who manages files.")
    media_type: Equals[FilterText] = None
    name: Equals[FilterText] = None
    name__contains: Contains = None
    name__startswith: StartsWith = None
    size__gt: GreaterThan[Size] = None
    size__gte: AtLeast[Size] = None
    size__lt: LessThan[Size] = None
    size__lte: AtMost[Size] = None
    created_at__gt: After = None
    created_at__gte: AtOrAfter = None
    created_at__lt: Before = None
    created_at__lte: AtOrBefore = None
