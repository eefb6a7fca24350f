"""Say what went wrong with the database in one line, and list commands without building the application."""

from typing import Any

import click
from flask.cli import FlaskGroup
from sqlalchemy import URL, make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from application.config.setting import load_settings
from application.database.failure import DatabaseAway, lacks_tables, translate
from application.libs.declaration import StartRefused
from application.libs.error import Refusal

MANAGER = ".venv/bin/python manager.py"
"""How these commands are called from the project's folder, whatever else is installed on the machine."""

FAILURES = (SQLAlchemyError, Refusal, TimeoutError)
"""What `explain` can put into words."""


class Group(FlaskGroup):
    """Be a group whose commands fail in one line, and whose help needs neither settings nor database."""

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Find a command among those that were added; Flask's own way asks the application and plugins too."""
        return click.Group.get_command(self, ctx, name)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """List the commands that were added."""
        return click.Group.list_commands(self, ctx)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; put a failure of the database, or what refuses the start, into words."""
        try:
            return super().invoke(ctx)
        except FAILURES as error:
            raise explain(error, make_url(load_settings().database_url)) from None
        except StartRefused as error:
            raise click.ClickException(str(error)) from None


def explain(error: Exception, url: URL) -> click.ClickException:
    """Return the one line that says what failed and its cure, without statement, parameters or password."""
    cause = error.__cause__ if isinstance(error, Refusal) and error.__cause__ is not None else error
    if isinstance(cause, DBAPIError) and lacks_tables(cause):
        return click.ClickException(f"The tables are missing or old: run `{MANAGER} upgrade`")
    refusal = translate(cause) if isinstance(cause, (DBAPIError, PoolTimeout)) else None
    if isinstance(refusal, DatabaseAway):
        return click.ClickException(f"The database {shown(url)} cannot be reached: start it, or set DATABASE_URL")
    if refusal is not None:
        return click.ClickException(f"{refusal} ({shown(url)})")
    reason = cause.orig if isinstance(cause, DBAPIError) and cause.orig is not None else cause
    return click.ClickException(str(reason).partition("\n")[0])  # further lines quote the row


def shown(url: URL) -> str:
    """Return the address without the password, wherever in it that stands."""
    return url.set(query={}).render_as_string(hide_password=True)
