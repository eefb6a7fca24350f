"""The same API on S3 and at Qiniu: by change of settings, on real servers."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from flask import Flask

from application.config.setting import Settings
from application.modules.file.business import sweep
from application.permissions import Role
from tests.applications import migrated
from tests.conftest import Caller
from tests.libs.image_kit import PHP
from tests.modules.file.conftest import PNG, URL, code_of, sent
from tests.modules.file.test_direct import authorised, confirm
from tests.multipart import multipart
from tests.port import free_port
from tests.private_qiniu import ACCESS_KEY, BUCKET, SECRET_KEY, private_qiniu
from tests.private_s3 import private_s3


@pytest.fixture(autouse=True)
def _empty() -> None:
    """Ask for no application on a database of its own."""


@pytest.fixture(scope="module")
def s3() -> Iterator[dict[str, Any]]:
    with private_s3() as place:
        yield {
            "file_storage": "s3",
            "s3_bucket": place.bucket,
            "s3_access_key_id": place.access_key_id,
            "s3_secret_access_key": place.secret_access_key,
            "s3_endpoint_url": place.endpoint_url,
        }


@pytest.fixture(scope="module")
def qiniu() -> Iterator[dict[str, Any]]:
    with private_qiniu(free_port()) as address:
        yield {
            "file_storage": "qiniu",
            "qiniu_bucket": BUCKET,
            "qiniu_access_key": ACCESS_KEY,
            "qiniu_secret_key": SECRET_KEY,
            "qiniu_domain": f"{address}/d",
            "qiniu_upload_url": f"{address}/",
            "qiniu_manage_url": address,
            "qiniu_list_url": address,
        }


@pytest.fixture(params=["s3", "qiniu"])
def remote(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Flask]:
    settings = request.getfixturevalue(request.param)
    with migrated(f"sqlite:///{tmp_path / 'a.db'}", tmp_path, rate_limits_enabled=False, **settings) as app:
        yield app


@pytest.fixture
def eve(remote: Flask) -> Caller:
    return Caller(remote, "eve", Role.USER)


class TestRemote:
    def test_keeps_what_is_sent_through_the_api(self, remote: Flask, eve: Caller) -> None:
        file = sent(eve.client)
        assert eve.client.get(f"{URL}/{file['id']}/content").data == PNG
        assert eve.client.get(f"{URL}/{file['id']}/content", headers={"Range": "bytes=5-9"}).data == PNG[5:10]
        settings: Settings = remote.extensions["settings"]
        assert not settings.file_directory.exists()

    def test_takes_what_a_browser_sends_by_itself(self, eve: Caller) -> None:
        grant = authorised(eve)
        assert not grant["url"].startswith("http://localhost/")
        answer = requests.post(grant["url"], data=grant["fields"], files={"file": ("a", PNG, "image/png")}, timeout=10)
        assert answer.ok, answer.text
        assert confirm(eve, grant).status_code == 200
        url = eve.client.get(f"{URL}/{grant['id']}/link").get_json()["data"]["url"]
        given = requests.get(url, timeout=10)
        assert given.content == PNG
        assert given.headers["Content-Disposition"].startswith("attachment")

    def test_deletes_what_is_not_what_was_announced(self, remote: Flask, eve: Caller) -> None:
        grant = authorised(eve)
        hostile = PHP.ljust(len(PNG))
        requests.post(grant["url"], data=grant["fields"], files={"file": ("a", hostile, "image/png")}, timeout=10)
        assert code_of(confirm(eve, grant)) == (422, "file_refused")
        assert code_of(confirm(eve, grant)) == (422, "nothing_uploaded")

    def test_takes_no_upload_for_the_disk(self, remote: Flask, eve: Caller) -> None:
        grant = authorised(eve)
        form = multipart({"expires": "1900000000", "signature": "0" * 64}, file=(PNG, "a", "image/png"))
        assert remote.test_client().post(f"{URL}/{grant['id']}/upload", **form).status_code == 403

    def test_sweeps_there(self, remote: Flask, eve: Caller) -> None:
        sent(eve.client)
        with remote.app_context():
            assert sweep().files == 0
