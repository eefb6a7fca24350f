"""Keep files in a private bucket at Qiniu (七牛云 Kodo), by its HTTP API and without its SDK.

Uploads carry a token `accessKey:sign:policy`, downloads `?e=…&token=accessKey:sign`, management a header `QBox`; each
sign is an HMAC-SHA1 in URL-safe Base64 (developer.qiniu.com/kodo/1208/upload-token, 1202/download-token,
1201/access-token).
"""

import base64
import hashlib
import hmac
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import IO, Any
from urllib.parse import quote, urlencode, urlsplit

from application.libs.clock import now
from application.libs.storage.place import QiniuPlace
from application.libs.storage.store import (
    CHUNK_BYTES,
    KEY,
    Grant,
    ObjectMissingError,
    Purpose,
    StorageFailedError,
    checked,
    new_key,
)

SAVING = timedelta(minutes=10)
"""How long a token of our own holds, for one upload or download."""

_MISSING = 612
_TIMEOUT_SECONDS = 30
_TICKS = 10_000_000  # Qiniu's putTime counts 100 ns
_PAGE = 1000

_Headers = Mapping[str, str]


class QiniuKey:
    """Sign what Qiniu is asked."""

    def __init__(self, access_key: str, secret_key: str) -> None:
        """Take the pair from Qiniu's console."""
        self._access_key = access_key
        self._secret_key = secret_key.encode()

    def token(self, text: str) -> str:
        """Return the access key with the sign of a text."""
        sign = hmac.new(self._secret_key, text.encode(), hashlib.sha1).digest()
        return f"{self._access_key}:{encoded(sign)}"

    def upload_token(self, policy: Mapping[str, object]) -> str:
        """Return what lets its bearer upload what the policy allows."""
        written = encoded(json.dumps(policy, separators=(",", ":")).encode())
        return f"{self.token(written)}:{written}"

    def download_url(self, url: str, until: datetime) -> str:
        """Return the URL of a private file that holds until then."""
        dated = f"{url}{'&' if '?' in url else '?'}e={int(until.timestamp())}"
        return f"{dated}&token={quote(self.token(dated), safe=':')}"

    def manage(self, path: str) -> str:
        """Return the Authorization header of a request without a body."""
        return f"QBox {self.token(f'{path}{chr(10)}')}"


class QiniuStorage:
    """Keep files at Qiniu; browsers send theirs with an upload token."""

    def __init__(self, place: QiniuPlace) -> None:
        """Take the bucket, its key and the hosts of its region."""
        self._place = place
        self._key = QiniuKey(place.access_key, place.secret_key)

    def save(self, key: str, content: IO[bytes], *, media_type: str) -> None:
        """Send the content as the form that browsers send, with a token of its own."""
        start = content.tell()
        size = content.seek(0, os.SEEK_END) - start
        content.seek(start)
        grant = self.grant_upload(key, size=size, media_type=media_type, until=now() + SAVING, receiver="")
        boundary = new_key()
        head, tail = _form(grant.fields, boundary, media_type)
        headers = {
            "Content-Type": f"multipart/form-data; boundary={boundary}",
            "Content-Length": str(len(head) + size + len(tail)),
        }
        pieces = iter(lambda: content.read(CHUNK_BYTES), b"")
        with _asked("POST", grant.url, headers, body=_chain(head, pieces, tail)) as response:
            _check(response)

    def read(self, key: str, *, start: int = 0) -> Iterator[bytes]:
        """Fetch the file from a byte on, by a signed URL."""
        url = self._key.download_url(f"{self._place.domain}/{checked(key)}", now() + SAVING)
        with ExitStack() as stack:
            response = stack.enter_context(_asked("GET", url, {"Range": f"bytes={start}-"} if start else {}))
            _check(response)
            return _pieces(response, stack.pop_all())

    def size(self, key: str) -> int:
        """Ask for what Qiniu knows of the file."""
        known: int = self._manage("GET", f"/stat/{self._entry(key)}")["fsize"]
        return known

    def move(self, key: str, to: str) -> None:
        """Rename the file within the bucket."""
        self._manage("POST", f"/move/{self._entry(key)}/{self._entry(to)}/force/true")

    def delete(self, key: str) -> None:
        """Delete the file."""
        try:
            self._manage("POST", f"/delete/{self._entry(key)}")
        except ObjectMissingError:
            return

    def keys(self, *, older_than: datetime) -> Iterator[str]:
        """List the bucket, a thousand files at a time."""
        marker = ""
        while True:
            query = urlencode({"bucket": self._place.bucket, "limit": _PAGE, "marker": marker})
            page = self._manage("GET", f"/list?{query}", host=self._place.list_url)
            for item in page.get("items") or ():
                kept = datetime.fromtimestamp(item["putTime"] / _TICKS, UTC)
                if kept < older_than and KEY.fullmatch(item["key"]):
                    yield item["key"]
            marker = page.get("marker", "")
            if not marker:
                return

    def grant_upload(self, key: str, *, size: int, media_type: str, until: datetime, receiver: str) -> Grant:
        """Sign a policy: this key, this length and this type alone."""
        del receiver
        policy = {
            "scope": f"{self._place.bucket}:{checked(key)}",
            "deadline": int(until.timestamp()),
            "fsizeMin": size,
            "fsizeLimit": size,
            "mimeLimit": media_type,
            "returnBody": '{"key":$(key),"hash":$(etag),"size":$(fsize)}',
        }
        return Grant(url=self._place.upload_url, fields={"key": key, "token": self._key.upload_token(policy)})

    def grant_download(self, key: str, *, name: str, media_type: str, until: datetime, receiver: str) -> str:
        """Sign a URL whose answer is an attachment (`attname`)."""
        del media_type, receiver
        url = f"{self._place.domain}/{checked(key)}?{urlencode({'attname': name})}"
        return self._key.download_url(url, until)

    def admits(self, purpose: Purpose, key: str, *, expires: int, signature: str) -> bool:
        """Admit nothing: Qiniu is asked itself."""
        del purpose, key, expires, signature
        return False

    def _entry(self, key: str) -> str:
        return encoded(f"{self._place.bucket}:{checked(key)}".encode())

    def _manage(self, method: str, path: str, *, host: str = "") -> dict[str, Any]:
        headers = {"Authorization": self._key.manage(path), "Content-Length": "0"}
        with _asked(method, f"{host or self._place.manage_url}{path}", headers) as response:
            _check(response)
            body = response.read()
        known: dict[str, Any] = json.loads(body) if body else {}
        return known


def make(place: QiniuPlace) -> QiniuStorage:
    """Return the store; nothing is asked of Qiniu yet."""
    return QiniuStorage(place)


def encoded(content: bytes) -> str:
    """Return Base64 as Qiniu wants it: for URLs, padded."""
    return base64.urlsafe_b64encode(content).decode()


def _form(fields: Mapping[str, str], boundary: str, media_type: str) -> tuple[bytes, bytes]:
    """Return what stands before and behind a file in a form; neither field nor type comes from a client."""
    texts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n'
        for name, text in fields.items()
    ]
    file = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="file"\r\n'
    head = f"{''.join(texts)}{file}Content-Type: {media_type}\r\n\r\n"
    return head.encode(), f"\r\n--{boundary}--\r\n".encode()


def _chain(head: bytes, pieces: Iterable[bytes], tail: bytes) -> Iterator[bytes]:
    yield head
    yield from pieces
    yield tail


def _pieces(response: HTTPResponse, connection: ExitStack) -> Iterator[bytes]:
    with connection, _translated():
        while piece := response.read(CHUNK_BYTES):
            yield piece


def _check(response: HTTPResponse) -> None:
    if response.status in (404, _MISSING):
        raise ObjectMissingError
    if response.status not in (200, 206):
        message = f"Qiniu answered {response.status}"
        raise StorageFailedError(message)


@contextmanager
def _asked(method: str, url: str, headers: _Headers, body: Iterable[bytes] | None = None) -> Iterator[HTTPResponse]:
    parts = urlsplit(url)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    with _translated():
        connection = kind(parts.netloc, timeout=_TIMEOUT_SECONDS)
        try:
            target = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
            connection.request(method, target, body=body, headers=dict(headers))
            yield connection.getresponse()
        finally:
            connection.close()


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (OSError, HTTPException) as error:
        raise StorageFailedError(type(error).__name__) from error
