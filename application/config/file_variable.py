"""Declare the settings of files: where they are kept, and what may be sent."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import NoDecode

from application.config import address
from application.config.access_variable import AccessVariables
from application.config.choice import FileStorage
from application.config.variable import MEBIBYTE, ROOT
from application.libs import media_type


class FileVariables(AccessVariables):
    """Hold what was set of files, beside everything else."""

    file_storage: FileStorage = Field(
        FileStorage.LOCAL, description="Where files are kept: local (a directory), s3 or qiniu"
    )
    file_directory: Path = Field(Path("files"), description="The directory, from the project's root")
    file_max_bytes: int = Field(10 * MEBIBYTE, ge=1, le=2**32, description="How long one file may be")
    file_types: Annotated[tuple[str, ...], NoDecode] = Field(
        (
            "image/gif",
            "image/jpeg",
            "image/png",
            "image/webp",
            "application/pdf",
            "text/csv",
            "text/markdown",
            "text/plain",
        ),
        description="What a file may be, by commas; libs/media_type.py lists what can be told",
    )
    file_max_pixels: int = Field(50_000_000, ge=1, le=2**31, description="How many pixels an image may have")
    file_thumbnail_pixels: int = Field(320, ge=16, le=4096, description="Width and height of small images at most")
    file_quota_bytes: int = Field(1024 * MEBIBYTE, ge=0, description="How many bytes the files of one user may have")
    file_quota_count: int = Field(1000, ge=0, description="How many files one user may have")
    file_grant_seconds: int = Field(
        900, ge=10, le=604_800, description="How long a browser may send or get a file by itself"
    )
    file_pending_hours: int = Field(
        24, ge=1, le=8760, description="How long an announced file is waited for; at least as long as grants hold"
    )
    file_deleted_keep_days: int = Field(
        30, ge=0, le=36_500, description="Days for which a deleted file can be restored"
    )
    s3_bucket: str | None = Field(None, description="The bucket of files, for this application alone")
    s3_region: str = Field("us-east-1", description="Its region")
    s3_endpoint_url: str | None = Field(None, description="The server, where it is not Amazon's; browsers ask it, too")
    s3_access_key_id: str | None = Field(None, description="Name of the key for S3")
    s3_secret_access_key: SecretStr | None = Field(None, description="The key for S3")
    qiniu_bucket: str | None = Field(None, description="The private bucket of files, for this application alone")
    qiniu_access_key: str | None = Field(None, description="AccessKey for Qiniu")
    qiniu_secret_key: SecretStr | None = Field(None, description="SecretKey for Qiniu")
    qiniu_domain: str | None = Field(None, description="Where the bucket is downloaded from, as https://files.example")
    qiniu_upload_url: str = Field("https://upload.qiniup.com/", description="Where the bucket's region takes uploads")
    qiniu_manage_url: str = Field("https://rs.qiniuapi.com", description="Where Qiniu's files are managed")
    qiniu_list_url: str = Field("https://rsf.qiniuapi.com", description="Where they are listed")

    @field_validator("file_types", mode="before")
    @classmethod
    def _types(cls, value: object) -> object:
        return tuple(filter(None, map(str.strip, value.split(",")))) if isinstance(value, str) else value

    @field_validator("file_types")
    @classmethod
    def _known_types(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        unknown = sorted(set(value) - set(media_type.EXTENSIONS))
        if unknown or not value:
            raise ValueError(
                f"FILE_TYPES names {', '.join(unknown) or 'nothing'}: what can be told by its content is "
                f"{', '.join(media_type.EXTENSIONS)}"
            )
        return value

    @field_validator("s3_endpoint_url", "qiniu_domain", "qiniu_upload_url", "qiniu_manage_url", "qiniu_list_url")
    @classmethod
    def _http(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None:
            return None
        address.checked(value, str(info.field_name).upper(), ("https", "http"))
        return value if info.field_name == "qiniu_upload_url" else value.rstrip("/")

    @field_validator("file_directory")
    @classmethod
    def _kept_from_root(cls, value: Path) -> Path:
        return ROOT / value.expanduser()
