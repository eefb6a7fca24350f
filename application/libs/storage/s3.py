"""Keep files in a bucket of S3, or of what speaks like it: MinIO, Ceph, R2, COS, OSS."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import IO, Any

from boto3.session import Session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from application.libs.clock import now
from application.libs.disposition import attachment
from application.libs.storage.place import S3Place
from application.libs.storage.store import (
    CHUNK_BYTES,
    KEY,
    Grant,
    ObjectMissingError,
    Purpose,
    StorageFailedError,
    checked,
)

_MISSING = {"404", "NoSuchKey", "NotFound"}

_CONFIG = Config(
    signature_version="s3v4",
    s3={"addressing_style": "path"},  # a bucket of what speaks like S3 has seldom a host name of its own
    connect_timeout=3,
    read_timeout=30,
    retries={"mode": "standard", "total_max_attempts": 3},
    request_checksum_calculation="when_required",  # what speaks like S3 seldom knows the newer checksums
    response_checksum_validation="when_required",
)


class S3Storage:
    """Keep files as objects; browsers send and fetch theirs by what the bucket's key signed."""

    def __init__(self, client: Any, bucket: str) -> None:
        """Take a client of boto3, which may serve several threads, and the bucket's name."""
        self._client = client
        self._bucket = bucket

    def save(self, key: str, content: IO[bytes], *, media_type: str) -> None:
        """Put the object; S3 shows it when it is whole."""
        with _translated():
            self._client.put_object(Bucket=self._bucket, Key=checked(key), Body=content, ContentType=media_type)

    def read(self, key: str, *, start: int = 0) -> Iterator[bytes]:
        """Get the object from a byte on."""
        wanted = {"Range": f"bytes={start}-"} if start else {}
        with _translated():
            body = self._client.get_object(Bucket=self._bucket, Key=checked(key), **wanted)["Body"]
        return _pieces(body)

    def size(self, key: str) -> int:
        """Ask for the object's length."""
        with _translated():
            length: int = self._client.head_object(Bucket=self._bucket, Key=checked(key))["ContentLength"]
        return length

    def move(self, key: str, to: str) -> None:
        """Copy the object within the bucket, then delete it."""
        source = {"Bucket": self._bucket, "Key": checked(key)}
        with _translated():
            self._client.copy_object(Bucket=self._bucket, Key=checked(to), CopySource=source)
            self._client.delete_object(**source)

    def delete(self, key: str) -> None:
        """Delete the object."""
        with _translated():
            self._client.delete_object(Bucket=self._bucket, Key=checked(key))

    def keys(self, *, older_than: datetime) -> Iterator[str]:
        """List the bucket, a thousand objects at a time."""
        with _translated():
            for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket):
                for item in page.get("Contents", ()):
                    if item["LastModified"] < older_than and KEY.fullmatch(item["Key"]):
                        yield item["Key"]

    def grant_upload(self, key: str, *, size: int, media_type: str, until: datetime, receiver: str) -> Grant:
        """Sign a policy of S3's POST: this key, this length and this type alone."""
        del receiver
        with _translated():
            signed = self._client.generate_presigned_post(
                self._bucket,
                checked(key),
                Fields={"Content-Type": media_type},
                Conditions=[{"Content-Type": media_type}, ["content-length-range", size, size]],
                ExpiresIn=_seconds(until),
            )
        return Grant(url=signed["url"], fields=signed["fields"])

    def grant_download(self, key: str, *, name: str, media_type: str, until: datetime, receiver: str) -> str:
        """Sign a GET that answers with an attachment."""
        del receiver
        shown = {"ResponseContentDisposition": attachment(name), "ResponseContentType": media_type}
        with _translated():
            url: str = self._client.generate_presigned_url(
                "get_object",
                Params={"Bucket": self._bucket, "Key": checked(key), **shown},
                ExpiresIn=_seconds(until),
            )
        return url

    def admits(self, purpose: Purpose, key: str, *, expires: int, signature: str) -> bool:
        """Admit nothing: the bucket is asked itself."""
        del purpose, key, expires, signature
        return False


def make(place: S3Place) -> S3Storage:
    """Return the store; nothing is asked of the server yet."""
    client = Session().client(
        "s3",
        region_name=place.region,
        endpoint_url=place.endpoint_url,
        aws_access_key_id=place.access_key_id,
        aws_secret_access_key=place.secret_access_key,
        config=_CONFIG,
    )
    return S3Storage(client, place.bucket)


def _pieces(body: Any) -> Iterator[bytes]:
    with _translated():
        try:
            yield from body.iter_chunks(CHUNK_BYTES)
        finally:
            body.close()


def _seconds(until: datetime) -> int:
    return max(1, round((until - now()).total_seconds()))


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code"))
        if code in _MISSING:
            raise ObjectMissingError from error
        raise StorageFailedError(code) from error
    except BotoCoreError as error:
        raise StorageFailedError(type(error).__name__) from error
