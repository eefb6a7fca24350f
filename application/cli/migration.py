"""Offer Flask-Migrate's commands: those that change the database wait for each other and say what they did."""

from typing import Any

import click
from flask import g
from flask.cli import with_appcontext
from flask_migrate.cli import db as offered

from application.cli import database
from application.cli.errors import MANAGER

CHANGING = frozenset({"upgrade", "downgrade", "stamp"})


def migration_group() -> click.Group:
    """Return the group `db`; unlike Flask-Migrate's its help needs no application."""
    group = click.Group("db", params=offered.params, help="Migrate the database's tables.", callback=_remember)
    for name, command in offered.commands.items():
        group.add_command(_own(command), name)
    return group


def _remember(**_options: object) -> None:
    """Do nothing: the commands find the options in the context, once there is an application."""


def _own(command: click.Command) -> click.Command:
    @with_appcontext
    @click.pass_context
    def callback(context: click.Context, /, **options: Any) -> None:
        given = context.parent.params if context.parent else {}
        g.directory, g.x_arg = given.get("directory"), given.get("x_arg", ())  # where Flask-Migrate looks for them
        _run(context, command, options)

    return click.Command(
        command.name,
        params=command.params,
        help=command.help,
        callback=callback,
    )


def _run(context: click.Context, command: click.Command, options: dict[str, Any]) -> None:
    if command.name in CHANGING:
        with database.alone():
            context.invoke(command, **options)
        click.echo(f"The database {database.name()} is at revision {database.revision() or 'base'}.")
        return
    context.invoke(command, **options)
    if command.name == "current" and not database.revision():
        click.echo(f"The database {database.name()} has no revision yet: run `{MANAGER} upgrade`.")
