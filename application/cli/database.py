"""Create, migrate and clear the database."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import click
from flask import Flask, current_app
from flask.cli import with_appcontext
from flask_migrate import Migrate
from flask_migrate import upgrade as run_migrations

from application.cli.errors import MANAGER, shown
from application.config.setting import ROOT
from application.database import Base, change, db, transaction
from application.database.lock import migration_lock

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


def upgrade_database() -> None:
    """Bring the tables to the newest revision, under a lock that other processes wait for."""
    with alone():
        run_migrations(directory=DIRECTORY)


def clear_database() -> int:
    """Delete every row of every table and return how many there were; the tables stay."""
    with transaction():
        return sum(change(table.delete()) for table in reversed(Base.metadata.sorted_tables))


@click.command("upgrade")
@with_appcontext
def upgrade() -> None:
    """Bring the database's tables to the newest revision."""
    upgrade_database()
    click.echo(f"The database {name()} is up to date.")


@click.command("init-db")
@with_appcontext
def init_db() -> None:
    """Create the database's tables, or bring them up to date."""
    upgrade_database()
    click.echo(f"The database {name()} is ready. Next: `{MANAGER} create-admin`.")


@click.command("clear-db")
@click.option("--yes", is_flag=True, help="Do not ask.")
@with_appcontext
def clear_db(*, yes: bool) -> None:
    """Delete every row of every table; the tables stay."""
    if not yes:
        click.confirm(f"Delete everything in {name()}?", abort=True)
    click.echo(f"Deleted {clear_database()} rows from {name()}.")


def name() -> str:
    """Return the database's address as the commands show it."""
    return shown(db.engine.url).replace(f"{current_app.root_path}/", "")
