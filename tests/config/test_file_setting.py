"""Settings of files: what they refuse, and where files are then kept."""

from pathlib import Path

import pytest

from application.config.setting import ROOT, SettingsRefused
from application.libs.storage.place import LocalPlace, QiniuPlace, S3Place
from tests.config.conftest import KEY, load

S3 = {"file_storage": "s3", "s3_bucket": "b", "s3_access_key_id": "k", "s3_secret_access_key": "s3cret-key"}
QINIU = {
    "file_storage": "qiniu",
    "qiniu_bucket": "b",
    "qiniu_access_key": "k",
    "qiniu_secret_key": "q1niu-key",
    "qiniu_domain": "https://files.example/",
}


class TestFileVariables:
    @pytest.mark.parametrize(
        ("overrides", "reason"),
        [
            ({"file_storage": "s3"}, "wants S3_BUCKET, S3_ACCESS_KEY_ID, S3_SECRET_ACCESS_KEY: set them, or FILE_STO"),
            ({**S3, "s3_bucket": None}, "FILE_STORAGE=s3 wants S3_BUCKET: set them"),
            ({**QINIU, "qiniu_domain": None}, "FILE_STORAGE=qiniu wants QINIU_DOMAIN"),
            ({"file_quota_bytes": 5}, "FILE_QUOTA_BYTES is less than one file may have"),
            ({"file_grant_seconds": 7200, "file_pending_hours": 1}, "FILE_GRANT_SECONDS is longer"),
            ({"file_types": "image/png,image/svg+xml"}, "FILE_TYPES names image/svg.xml: what can be told"),
            ({"file_types": ","}, "FILE_TYPES names nothing"),
            ({"s3_endpoint_url": "ftp://a"}, "S3_ENDPOINT_URL"),
            ({"qiniu_domain": "files.example"}, "QINIU_DOMAIN"),
        ],
    )
    def test_refuse_what_cannot_work(self, overrides: dict[str, object], reason: str) -> None:
        with pytest.raises(SettingsRefused, match=reason) as refused:
            load(**{"secret_key": KEY, **overrides})
        assert "\n" not in str(refused.value)

    def test_refuse_a_directory_that_does_not_stay_in_production(self) -> None:
        production = {"environment": "production", "secret_key": KEY, "database_url": "postgresql://db/x"}
        with pytest.raises(SettingsRefused, match="FILE_DIRECTORY lies in a temporary directory"):
            load(**production, file_directory="/dev/shm/files")
        assert load(**production, file_directory="/srv/files").file_directory == Path("/srv/files")
        assert load(**production).file_directory == ROOT / "files"

    def test_are_read_from_text(self) -> None:
        assert load(secret_key=KEY, file_types="image/png, text/plain").file_types == ("image/png", "text/plain")


class TestStoragePlace:
    def test_is_a_directory_of_the_project(self) -> None:
        assert load(secret_key=KEY).storage_place == LocalPlace(ROOT / "files", KEY)

    def test_is_what_was_chosen(self) -> None:
        assert load(secret_key=KEY, **S3).storage_place == S3Place("b", "k", "s3cret-key", "us-east-1", None)
        place = load(secret_key=KEY, **QINIU).storage_place
        assert isinstance(place, QiniuPlace)
        assert (place.domain, place.upload_url) == ("https://files.example", "https://upload.qiniup.com/")

    def test_has_secrets_that_are_hidden(self) -> None:
        assert "s3cret-key" in load(secret_key=KEY, **S3).secrets()
        settings = load(secret_key=KEY, **QINIU)
        assert "q1niu-key" in settings.secrets()
        assert "q1niu-key" not in repr(settings)
