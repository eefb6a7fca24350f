"""Create, migrate and clear the database."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import click
from alembic.runtime.migration import MigrationContext
from flask import Flask, current_app
from flask.cli import with_appcontext
from flask_migrate import Migrate
from flask_migrate import upgrade as run_migrations

from application.cli.errors import MANAGER, shown
from application.config.setting import ROOT
from application.database import Base, change, collation, db, transaction
from application.database.lock import migration_lock
from application.modules.role import business as role_business

DIRECTORY = str(ROOT / "migrations")


def init_app(app: Flask) -> None:
    """Let Flask-Migrate know the database; only commands need it, so the web processes never load Alembic."""
    Migrate(app, db, directory=DIRECTORY)


@contextmanager
def alone() -> Iterator[None]:
    """Hold the lock of this database's migrations; a SQLite database's folder is made where there is none."""
    engine = db.engine
    with ExitStack() as stack:
        try:
            if engine.dialect.name == "sqlite" and engine.url.database:
                Path(engine.url.database).parent.mkdir(parents=True, exist_ok=True)
            stack.enter_context(migration_lock(engine))
        except TimeoutError:
            raise
        except OSError as error:
            message = f"{error.filename} cannot be made ({error.strerror}): make it, or set DATABASE_URL"
            raise click.ClickException(message) from None
        yield


def upgrade_database() -> bool:
    """Bring the tables to the newest revision, and the built-in roles into them; tell if they were older.

    Under a lock that other processes wait for.
    """
    with alone():
        check_server()
        before = revision()
        run_migrations(directory=DIRECTORY)
        with transaction():
            role_business.store_built_in()
        return revision() != before


def check_server() -> None:
    """Refuse a database server that is too old, before a migration begins."""
    with db.engine.connect() as connection:
        if collation.is_missing(connection):
            message = (
                f"MariaDB 10.10 or newer is needed, for {collation.LOWERING}: upgrade {name()}, or set DATABASE_URL"
            )
            raise click.ClickException(message)


def store_declared_jobs() -> None:
    """Bring the jobs that the code declares into the database, so that they are there before a runner has started."""
    engine = current_app.extensions.get("scheduler")
    if engine is not None:
        engine.reconcile()


def revision() -> str:
    """Return the revision of the tables; nothing where none has been noted."""
    with db.engine.connect() as connection:
        return ", ".join(MigrationContext.configure(connection).get_current_heads())


def clear_database() -> int:
    """Delete every row of every table and return how many fewer there are; the tables stay, with the built-in roles."""
    with transaction():
        deleted = sum(change(table.delete()) for table in reversed(Base.metadata.sorted_tables))
        return max(deleted - role_business.store_built_in(), 0)


@click.command("upgrade")
@with_appcontext
def upgrade() -> None:
    """Bring the database's tables to the newest revision, and the jobs that the code declares into them."""
    came = upgrade_database()
    store_declared_jobs()
    click.echo(f"The database {name()} {'has come to' if came else 'is up to date at'} revision {revision()}.")


@click.command("init-db")
@with_appcontext
def init_db() -> None:
    """Create the database's tables, or bring them up to date, with the jobs that the code declares."""
    upgrade_database()
    store_declared_jobs()
    click.echo(f"The database {name()} is ready. Next: `{MANAGER} create-admin`.")


@click.command("clear-db")
@click.option("--yes", is_flag=True, help="Do not ask.")
@with_appcontext
def clear_db(*, yes: bool) -> None:
    """Delete every row of every table; the tables stay, with the built-in roles."""
    if not yes:
        click.confirm(f"Delete everything in {name()}?", abort=True)
    click.echo(f"Deleted {clear_database()} rows from {name()}.")


def name() -> str:
    """Return the database's address as the commands show it."""
    return shown(db.engine.url).replace(f"{current_app.root_path}/", "")
