"""The disk: what a kill leaves, and what a signature admits."""

import errno
import subprocess
import sys
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from application.libs.clock import now
from application.libs.storage.local import LocalStorage
from application.libs.storage.store import KEY, StorageFailedError, new_key

ROOT = Path(__file__).parents[3]


@pytest.fixture
def local(tmp_path: Path) -> LocalStorage:
    return LocalStorage(tmp_path / "kept", "secret")


class TestSave:
    def test_writes_nothing_where_nothing_is_kept(self, local: LocalStorage, tmp_path: Path) -> None:
        assert list(local.keys(older_than=now())) == []
        assert list(tmp_path.iterdir()) == []

    def test_lets_nobody_else_in(self, local: LocalStorage, tmp_path: Path) -> None:
        key = new_key()
        local.save(key, BytesIO(b"a"), media_type="")
        assert (tmp_path / "kept" / key[:2]).stat().st_mode & 0o077 == 0

    def test_leaves_nothing_of_what_failed(self, local: LocalStorage, tmp_path: Path) -> None:
        class Full(BytesIO):
            def read(self, size: int | None = -1) -> bytes:
                raise OSError(errno.ENOSPC, "No space left on device")

        with pytest.raises(StorageFailedError, match="No space left"):
            local.save(new_key(), Full(), media_type="")
        assert [path for path in tmp_path.rglob("*") if path.is_file()] == []

    def test_leaves_a_part_that_is_listed_when_it_is_killed(self, local: LocalStorage, tmp_path: Path) -> None:
        program = """
import os, signal, sys
from io import BytesIO
from pathlib import Path
from application.libs.storage.local import LocalStorage
class Deadly(BytesIO):
    def read(self, size=-1):
        data = super().read(4)
        if not data:
            os.kill(os.getpid(), signal.SIGKILL)
        return data
LocalStorage(Path(sys.argv[1]), "secret").save("0" * 32, Deadly(b"whole"), media_type="")
"""
        subprocess.run([sys.executable, "-c", program, str(tmp_path / "kept")], cwd=ROOT, check=False)
        left = list(local.keys(older_than=now() + timedelta(seconds=5)))
        assert len(left) == 1
        assert left[0].endswith(".part")
        assert KEY.fullmatch(left[0])
        local.delete(left[0])
        assert list(local.keys(older_than=now() + timedelta(seconds=5))) == []

    def test_knows_what_is_somebody_else_s(self, local: LocalStorage, tmp_path: Path) -> None:
        local.save(new_key(), BytesIO(b"a"), media_type="")
        (tmp_path / "kept" / ".gitignore").write_text("*")
        assert len(list(local.keys(older_than=now() + timedelta(seconds=5)))) == 1


class TestAdmits:
    def test_what_was_signed_until_it_expires(self, local: LocalStorage) -> None:
        key, until = new_key(), now() + timedelta(minutes=1)
        url = local.grant_download(key, name="a", media_type="a/b", until=until, receiver="http://a.example/b")
        query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        expires, signature = int(query["expires"]), query["signature"]
        assert local.admits("download", key, expires=expires, signature=signature)
        assert not local.admits("upload", key, expires=expires, signature=signature)
        assert not local.admits("download", new_key(), expires=expires, signature=signature)
        assert not local.admits("download", key, expires=expires + 1, signature=signature)
        assert not local.admits("download", key, expires=expires, signature="é")
        grant = local.grant_upload(key, size=1, media_type="a/b", until=now() - timedelta(seconds=1), receiver="/u")
        assert not local.admits(
            "upload", key, expires=int(grant.fields["expires"]), signature=grant.fields["signature"]
        )
        assert not LocalStorage(Path("x"), "other").admits("download", key, expires=expires, signature=signature)
