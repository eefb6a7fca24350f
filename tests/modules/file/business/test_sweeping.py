"""What is removed, when, and what a kill leaves for the next sweep."""

import os
import subprocess
import sys
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from application.database import change, execute, transaction
from application.extensions import storage
from application.libs.clock import now
from application.libs.storage.store import new_key
from application.modules.file.business import sweep
from application.modules.file.models import PURGING, File
from application.modules.file.tasks import sweep_files
from application.modules.task.models import Task
from tests.conftest import Caller
from tests.modules.file.conftest import PNG, URL, kept, sent, settings_of
from tests.modules.file.test_direct import authorised, upload
from tests.tables import count_rows

ROOT = Path(__file__).parents[4]


def age(app: Flask, **columns: timedelta) -> None:
    """Let files be older than they are."""
    with app.app_context(), transaction():
        change(sa.update(File).values({name: now() - span for name, span in columns.items()}))


def weather(path: Path, span: timedelta) -> None:
    """Let an object be older than it is."""
    at = (now() - span).timestamp()
    os.utime(path, (at, at))


def swept(app: Flask) -> tuple[int, int]:
    with app.app_context():
        found = sweep()
    return found.files, found.objects


class TestSweep:
    def test_leaves_what_is_needed(self, app: Flask, ada: Caller) -> None:
        sent(ada.client)
        authorised(ada)
        ada.client.delete(f"{URL}/{sent(ada.client)['id']}")
        assert swept(app) == (0, 0)
        age(app, created_at=timedelta(days=400), deleted_at=timedelta(days=29))
        for path in kept(app):
            weather(path, timedelta(days=400))
        assert swept(app) == (1, 0)  # what was announced and never sent
        assert count_rows(app, "file") == 2
        assert len(kept(app)) == 2

    def test_removes_what_was_announced_and_not_confirmed(self, app: Flask, ada: Caller) -> None:
        upload(app.test_client(), authorised(ada))
        assert len(kept(app)) == 1
        age(app, created_at=timedelta(hours=25))
        assert swept(app) == (1, 0)
        assert (count_rows(app, "file"), kept(app)) == (0, [])

    def test_removes_what_lay_in_the_bin(self, app: Flask, ada: Caller) -> None:
        file = sent(ada.client)
        ada.client.delete(f"{URL}/{file['id']}")
        age(app, deleted_at=timedelta(days=31))
        assert swept(app) == (1, 0)
        assert (count_rows(app, "file"), kept(app)) == (0, [])
        assert ada.client.post(f"{URL}/{file['id']}/restore").status_code == 404

    def test_removes_objects_that_no_row_names(self, app: Flask, ada: Caller) -> None:
        sent(ada.client)
        with app.app_context():
            for _ in range(2):
                storage.current.save(new_key(), BytesIO(b"a"), media_type="")
        for path in kept(app):
            weather(path, timedelta(hours=47))
        assert swept(app) == (0, 0)
        for path in kept(app):
            weather(path, timedelta(hours=49))
        assert swept(app) == (0, 2)
        assert [path.read_bytes() for path in kept(app)] == [PNG]

    def test_removes_the_objects_of_a_user_who_was_deleted(self, app: Flask, ada: Caller, admin: Caller) -> None:
        sent(ada.client)
        assert admin.client.delete(f"/api/v1/user/{ada.id}").status_code == 204
        assert count_rows(app, "file") == 0
        for path in kept(app):
            weather(path, timedelta(hours=49))
        assert swept(app) == (0, 1)

    def test_goes_on_where_another_was_killed(self, app: Flask, ada: Caller) -> None:
        sent(ada.client)
        sent(ada.client)
        with app.app_context(), transaction():
            change(sa.update(File), state=PURGING)  # claimed, and its process died
        kept(app)[0].unlink()  # or died behind the first object
        assert ada.client.get(f"{URL}?state=ready").get_json()["data"] == []
        assert swept(app) == (2, 0)
        assert (count_rows(app, "file"), kept(app)) == (0, [])


class TestKilled:
    @pytest.mark.parametrize(("dies_in", "objects"), [("put", 0), ("complete", 1)])
    def test_upload_leaves_nothing_but_what_is_swept(self, app: Flask, ada: Caller, dies_in: str, objects: int) -> None:
        """A process dies between row and object, and between object and row."""
        if app.config["SQLALCHEMY_DATABASE_URI"].startswith("sqlite:///:"):
            pytest.skip("a database in memory is seen by one process")
        settings = settings_of(app)
        program = """
import os, signal, sys
from pathlib import Path
from tests.applications import build
from application.modules.file import business
app = build(sys.argv[1], Path(sys.argv[2]), rate_limits_enabled=False)
def die(*_arguments, **_named):
    os.kill(os.getpid(), signal.SIGKILL)
setattr(business, sys.argv[4], die)
from tests.modules.file.conftest import send
send(app.test_client(), headers={"Authorization": "Bearer " + sys.argv[3]})
"""
        arguments = [settings.database_url, str(settings.file_directory.parent), ada.token, dies_in]
        result = subprocess.run([sys.executable, "-c", program, *arguments], cwd=ROOT, capture_output=True, check=False)
        assert result.returncode == -9, result.stderr.decode()
        assert len(kept(app)) == objects
        (file,) = ada.client.get(f"{URL}?state=pending").get_json()["data"]
        assert ada.client.get(f"{URL}/{file['id']}/content").status_code == 409
        assert swept(app) == (0, 0)
        age(app, created_at=timedelta(hours=25))
        assert swept(app) == (1, 0)
        assert (count_rows(app, "file"), kept(app)) == (0, [])


class TestSweepFiles:
    def test_is_done_behind_the_job(self, app: Flask) -> None:
        with app.app_context(), transaction():
            task_id = sweep_files()
        with app.app_context(), transaction(write=False):
            assert execute(sa.select(Task.name).where(Task.id == task_id)).scalar_one() == "file.sweep"
