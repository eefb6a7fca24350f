"""What every kind of store does alike, each on a real one: the disk, moto's server, and one that speaks like Qiniu."""

import base64
import json
from collections.abc import Callable
from datetime import timedelta
from io import BytesIO

import pytest
import requests

from application.libs.clock import now
from application.libs.disposition import attachment
from application.libs.storage.making import make_storage
from application.libs.storage.place import Place, QiniuPlace, S3Place
from application.libs.storage.store import INCOMING, ObjectMissingError, Storage, StorageFailedError, new_key
from tests.port import free_port

CONTENT = bytes(range(256)) * 3000
LATER = timedelta(minutes=5)


def kept(storage: Storage, content: bytes = CONTENT, key: str = "") -> str:
    key = key or new_key()
    storage.save(key, BytesIO(content), media_type="image/png")
    return key


def content_of(storage: Storage, key: str, start: int = 0) -> bytes:
    return b"".join(storage.read(key, start=start))


class TestStorage:
    def test_gives_back_what_it_keeps(self, storage: Storage) -> None:
        key = kept(storage)
        assert content_of(storage, key) == CONTENT
        assert content_of(storage, key, start=700_001) == CONTENT[700_001:]
        assert storage.size(key) == len(CONTENT)

    def test_keeps_from_where_the_content_stands(self, storage: Storage) -> None:
        content, key = BytesIO(b"head|tail"), new_key()
        content.seek(5)
        storage.save(key, content, media_type="text/plain")
        assert content_of(storage, key) == b"tail"

    def test_says_what_is_missing(self, storage: Storage) -> None:
        for ask in (storage.read, storage.size, lambda key: storage.move(key, new_key())):
            with pytest.raises(ObjectMissingError):
                ask(new_key())

    def test_moves_to_another_key(self, storage: Storage) -> None:
        key, other = kept(storage, key=f"{INCOMING}{new_key()}"), new_key()
        storage.move(key, other)
        assert content_of(storage, other) == CONTENT
        with pytest.raises(ObjectMissingError):
            storage.size(key)

    def test_deletes_once_and_again(self, storage: Storage) -> None:
        key = kept(storage)
        storage.delete(key)
        storage.delete(key)
        with pytest.raises(ObjectMissingError):
            storage.size(key)

    def test_lists_what_is_older(self, storage: Storage) -> None:
        keys = {kept(storage, b"a"), kept(storage, b"b", f"{INCOMING}{new_key()}"), kept(storage, b"c")}
        assert keys <= set(storage.keys(older_than=now() + LATER))
        assert keys.isdisjoint(storage.keys(older_than=now() - LATER))

    def test_takes_no_name_of_a_client_for_a_key(self, storage: Storage) -> None:
        for name in ("../../etc/passwd", "photo.png", "", f"{new_key()}/..", f"{new_key()}\n"):
            for ask in (storage.read, storage.size, storage.delete):
                with pytest.raises(ValueError, match="no key"):
                    ask(name)


@pytest.fixture(params=("s3", "qiniu"))
def remote(request: pytest.FixtureRequest, places: Callable[[str], Place]) -> Storage:
    """Lend the stores that browsers ask themselves."""
    return make_storage(places(request.param))


class TestRemote:
    @staticmethod
    def sent(storage: Storage, content: bytes, media_type: str = "image/png", **changed: str) -> tuple[str, int]:
        key = f"{INCOMING}{new_key()}"
        grant = storage.grant_upload(key, size=4, media_type="image/png", until=now() + LATER, receiver="")
        file = {"file": ("a.png", content, media_type)}
        return key, requests.post(grant.url, data={**grant.fields, **changed}, files=file, timeout=10).status_code

    def test_takes_what_was_granted(self, remote: Storage) -> None:
        key, status = self.sent(remote, b"abcd")
        assert status in (200, 204)
        assert content_of(remote, key) == b"abcd"

    def test_gives_an_attachment_to_who_has_the_url(self, remote: Storage) -> None:
        key = kept(remote)
        url = remote.grant_download(key, name="a.png", media_type="image/png", until=now() + LATER, receiver="")
        answer = requests.get(url, timeout=10)
        assert (answer.status_code, answer.content) == (200, CONTENT)
        assert answer.headers["Content-Disposition"].startswith("attachment")

    def test_asks_nobody_to_come_to_us(self, remote: Storage) -> None:
        assert not remote.admits("upload", new_key(), expires=2**40, signature="")

    def test_names_a_server_that_does_not_answer(self) -> None:
        gone = f"http://127.0.0.1:{free_port()}"
        places = (
            S3Place("files", "key", "secret", "us-east-1", gone),
            QiniuPlace("files", "key", "secret", f"{gone}/d", gone, gone, gone),
        )
        for place in places:
            storage = make_storage(place)
            for ask in (storage.read, storage.size, storage.delete):
                with pytest.raises(StorageFailedError):
                    ask(new_key())


class TestQiniu:
    @pytest.mark.parametrize(
        ("content", "media_type"), [(b"abc", "image/png"), (b"abcde", "image/png"), (b"abcd", "a/b")]
    )
    def test_takes_no_other_length_or_type(
        self, places: Callable[[str], Place], content: bytes, media_type: str
    ) -> None:
        remote = make_storage(places("qiniu"))
        key, status = TestRemote.sent(remote, content, media_type)
        assert 400 <= status < 500
        with pytest.raises(ObjectMissingError):
            remote.size(key)


class TestS3:
    def test_signs_the_length_and_the_type(self, places: Callable[[str], Place]) -> None:
        remote = make_storage(places("s3"))
        grant = remote.grant_upload(new_key(), size=4, media_type="image/png", until=now() + LATER, receiver="")
        conditions = json.loads(base64.b64decode(grant.fields["policy"]))["conditions"]
        assert ["content-length-range", 4, 4] in conditions  # which moto does not look at
        assert {"Content-Type": "image/png"} in conditions

    def test_refuses_a_wrong_bucket(self, places: Callable[[str], Place]) -> None:
        place = places("s3")
        assert isinstance(place, S3Place)
        other = S3Place("nobody-s", place.access_key_id, place.secret_access_key, place.region, place.endpoint_url)
        with pytest.raises(StorageFailedError):
            kept(make_storage(other))


class TestAttachment:
    def test_names_any_file(self) -> None:
        assert attachment("a.png") == "attachment; filename=\"a.png\"; filename*=UTF-8''a.png"
        assert attachment('照片 "1".png') == (
            "attachment; filename=\"__ _1_.png\"; filename*=UTF-8''%E7%85%A7%E7%89%87%20%221%22.png"
        )
