"""Name where files are kept, as the settings say it."""

from pathlib import Path
from typing import ClassVar

from application.libs.record import Record


class LocalPlace(Record):
    """Keep files in a directory; `secret` signs what browsers are granted."""

    kind: ClassVar[str] = "local"

    directory: Path
    secret: str


class S3Place(Record):
    """Keep files in a bucket of S3, or of what speaks like it at `endpoint_url`."""

    kind: ClassVar[str] = "s3"

    bucket: str
    access_key_id: str
    secret_access_key: str
    region: str
    endpoint_url: str | None = None


class QiniuPlace(Record):
    """Keep files in a private bucket at Qiniu, whose downloads are served at `domain`."""

    kind: ClassVar[str] = "qiniu"

    bucket: str
    access_key: str
    secret_key: str
    domain: str
    upload_url: str
    manage_url: str
    list_url: str


Place = LocalPlace | S3Place | QiniuPlace
