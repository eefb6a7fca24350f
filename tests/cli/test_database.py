"""The commands that create, migrate and clear the database, on every database."""

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from alembic.util import CommandError
from flask import Flask
from flask.testing import FlaskCliRunner
from flask_migrate import check as check_drift
from flask_migrate import downgrade as run_down
from flask_migrate import upgrade as run_up

from application.cli import database
from application.config.scheduler import SCHEDULER_JOBS
from application.database import Base, Id, UtcDateTime, change, db, execute, full_text, transaction
from application.libs.ident import new_id
from application.modules.blog import business as blog_business
from application.modules.blog.models import Status
from application.modules.role import business as role_business
from application.modules.scheduler.models import Job
from application.modules.tag import business as tag_business
from application.modules.user import business as user_business
from application.modules.user.models import UserRole
from application.permissions import ROLE_PERMISSIONS, Permission, Role

MOMENT = datetime(2030, 1, 31, tzinfo=UTC)
OLD_BLOG = {"content": "Content", "status": "published", "created_at": MOMENT, "updated_at": MOMENT}
OLD_BLOGS = sa.table(
    "blog",
    *(sa.column(name, Id) for name in ("id", "owner_id")),
    *(sa.column(name) for name in ("title", "content", "status")),
    *(sa.column(name, UtcDateTime) for name in ("created_at", "updated_at")),
    sa.column("search", full_text.SearchTerms),  # since revision 0003
)

OLD_USERS = sa.table(
    "user",
    sa.column("id", Id),
    sa.column("name"),
    *(sa.column(name, UtcDateTime) for name in ("created_at", "updated_at")),
)


def _old_user(name: str = "ada") -> str:
    """Write a user as before the audit, whose rules write to a table that is not there yet."""
    user_id = new_id()
    change(sa.insert(OLD_USERS), id=user_id, name=name, created_at=MOMENT, updated_at=MOMENT)
    return user_id


def _old_terms(title: object) -> str:
    """Return a title of ASCII as it was coded before revision 0004."""
    return " ".join(f"ww{word}" for word in str(title).split())


@pytest.fixture
def run(empty: Flask) -> FlaskCliRunner:
    """Return what runs the commands of the application."""
    for command in (database.upgrade, database.init_db, database.clear_db):
        empty.cli.add_command(command)
    return empty.test_cli_runner()


def _tables(app: Flask) -> set[str]:
    with app.app_context():
        return {name for name in sa.inspect(db.engine).get_table_names() if "_fts" not in name}  # FTS5's own


def _has_row_numbers(table: str) -> bool:
    """Tell whether SQLite finds a table's rows by numbers, or another database is asked."""
    return bool(sa.inspect(db.engine).get_table_options(table).get("sqlite_with_rowid", True))


def _is_migrated() -> bool:
    """Tell whether the migrations make the tables as the models say."""
    try:
        check_drift(directory=database.DIRECTORY)
    except (CommandError, SystemExit):
        return False
    return True


class TestUpgrade:
    def test_goes_up_down_and_up_again_without_drift(self, empty: Flask) -> None:
        with empty.app_context():
            database.upgrade_database()
            assert _is_migrated(), "the tables are not as the migrations make them: run `manager.py db migrate`"
            run_down(directory=database.DIRECTORY, revision="base")
        assert _tables(empty) == {"alembic_version"}
        with empty.app_context():
            database.upgrade_database()
        assert _tables(empty) == {"alembic_version", *Base.metadata.tables}

    def test_makes_blogs_findable_that_were_there(self, empty: Flask) -> None:
        with empty.app_context():
            run_up(directory=database.DIRECTORY, revision="0002")
            with transaction():
                owner = _old_user()
                blogs = [dict(OLD_BLOG, id=new_id(), owner_id=owner, title=f"标题 {number}") for number in range(450)]
                change(sa.insert(OLD_BLOGS), blogs)
            database.upgrade_database()
            with transaction(write=False):
                found = [
                    blog_business.search(viewer_id=None, limit=1, count=True, q=q).total
                    for q in ("标题", "标题 449", "content", "nothing")
                ]
        assert found == [450, 1, 450, 0]

    def test_finds_the_word_w_in_blogs_that_were_there(self, empty: Flask) -> None:
        with empty.app_context():
            run_up(directory=database.DIRECTORY, revision="0003")
            with transaction():
                owner = _old_user()
                titles = ["w", "a w", "w b", "a w b", "web", "a"] * 101
                blogs = [dict(OLD_BLOG, id=new_id(), owner_id=owner, title=title) for title in titles]
                change(sa.insert(OLD_BLOGS), [{**blog, "search": _old_terms(blog["title"])} for blog in blogs])
            database.upgrade_database()
            with transaction(write=False):
                found = [
                    blog_business.search(viewer_id=None, limit=1, count=True, q=q).total
                    for q in ("w", "a w", "w b", "web", "a")
                ]
        assert found == [505, 202, 202, 101, 303]

    def test_makes_roles_of_those_that_users_had(self, empty: Flask) -> None:
        had = {"ada": ["admin", "user"], "bob": ["given-up"]}
        with empty.app_context():
            run_up(directory=database.DIRECTORY, revision="0017")
            with transaction():
                for name, names in had.items():
                    user_id = _old_user(name)
                    change(sa.insert(UserRole), [{"user_id": user_id, "role": role} for role in names])
            database.upgrade_database()
            with transaction(write=False):
                users = user_business.search(limit=10).items
                roles = role_business.search(limit=10).items
        assert {user.name: user.roles for user in users} == had
        held = {Role.ADMIN: set(Permission), "given-up": set(), Role.USER: ROLE_PERMISSIONS[Role.USER]}
        assert {role.name: set(role.permissions) for role in roles} == held
        assert [role.name for role in roles if not role.is_builtin] == ["given-up"]

    def test_moves_small_rows_into_their_keys_and_back(self, empty: Flask) -> None:
        pages, numbered = [], []
        with empty.app_context():
            is_sqlite = db.engine.dialect.name == "sqlite"
            run_up(directory=database.DIRECTORY, revision="0026")
            with transaction():
                tags = [tag_business.create(name=name).id for name in ("b", "a")]
                owner = user_business.create(name="ada", password_hash=None).id
                blog_business.create(owner_id=owner, title="t", content="c", status=Status.PUBLISHED, tag_ids=tags)
            for move in (None, run_up, run_down, run_up):
                if move is not None:
                    move(directory=database.DIRECTORY)
                numbered.append({name for name in _tables(empty) if _has_row_numbers(name)})
                with transaction(write=False):
                    pages.append((blog_business.search(viewer_id=None, limit=2), user_business.search(limit=2)))

        assert [[tag.name for tag in page.items[0].tags] for page, _users in pages] == [["a", "b"]] * 4
        assert pages[1:] == pages[:3]
        in_keys = {"blog_tag", "tag", "user"} if is_sqlite else set()
        assert [numbered[0] - after for after in numbered] == [set(), in_keys, set(), in_keys]

    def test_sees_drift(self, empty: Flask) -> None:
        with empty.app_context():
            database.upgrade_database()
            with db.engine.begin() as connection:
                connection.execute(sa.text("DROP TABLE blog_tag"))
            assert not _is_migrated()

    def test_says_what_revision_it_came_to(self, empty: Flask, run: FlaskCliRunner) -> None:
        with empty.app_context():
            run_up(directory=database.DIRECTORY, revision="0002")
        said = [run.invoke(args=["upgrade"]).output for _time in range(2)]
        with empty.app_context():
            newest = database.revision()
        assert newest > "0002"
        assert said[0].endswith(f" has come to revision {newest}.\n")
        assert said[1].endswith(f" is up to date at revision {newest}.\n")


class TestInitDb:
    def test_creates_the_tables_and_says_what_is_next(self, empty: Flask, run: FlaskCliRunner) -> None:
        result = run.invoke(args=["init-db"])
        assert result.exit_code == 0
        assert "create-admin" in result.output
        assert "tag" in _tables(empty)


class TestStoreDeclaredJobs:
    @pytest.mark.parametrize("command", ["upgrade", "init-db"])
    def test_is_done_before_a_runner_has_started(self, empty: Flask, run: FlaskCliRunner, command: str) -> None:
        for _again in range(2):
            assert run.invoke(args=[command]).exit_code == 0
        with empty.app_context(), transaction(write=False):
            stored = execute(sa.select(Job.id, Job.version).order_by(Job.id)).all()
        assert [tuple(row) for row in stored] == sorted((job["id"], 1) for job in SCHEDULER_JOBS)


class TestClearDb:
    def test_deletes_every_row_after_asking(self, empty: Flask, run: FlaskCliRunner) -> None:
        run.invoke(args=["upgrade"])
        run.invoke(args=["clear-db", "--yes"])  # the declared jobs
        with empty.app_context(), transaction():
            tag_business.create(name="python")
        refused = run.invoke(args=["clear-db"], input="n\n")
        assert refused.exit_code == 1
        with empty.app_context(), transaction(write=False):
            assert len(tag_business.search(limit=10, after=None, sort="name", q=None, count=False).items) == 1
        done = run.invoke(args=["clear-db", "--yes"])
        assert (done.exit_code, "Deleted 1 rows" in done.output) == (0, True)
        with empty.app_context(), transaction():
            assert user_business.create(name="ada", password_hash=None, roles=list(Role)).roles == ["admin", "user"]
        assert "tag" in _tables(empty)
