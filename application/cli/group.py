"""Be the group of commands behind `manager.py`."""

from functools import partial

import click
from flask import Flask

from application.cli import database
from application.cli.asyncapi import asyncapi
from application.cli.dashboard import build_dashboard
from application.cli.errors import Group
from application.cli.migration import migration_group
from application.cli.openapi import openapi
from application.cli.run import run, runner, runserver
from application.cli.translation import translations
from application.config.setting import AsyncMode, settings_or_exit
from application.factory import create_app
from application.libs.background import background_of
from application.modules.factor.commands import reset_factor
from application.modules.message.commands import message_group
from application.modules.scheduler.commands import scheduler_group
from application.modules.task.commands import worker
from application.modules.user.commands import create_admin


def _create_app() -> Flask:
    # A command is no web worker: whatever mode those are in, its threads are plain ones.
    app = create_app(settings_or_exit(async_mode=AsyncMode.THREADING))
    database.init_app(app)
    command = click.get_current_context(silent=True)
    if command is not None:
        drain = partial(background_of(app).drain, app.extensions["settings"].graceful_timeout_seconds)
        command.find_root().call_on_close(drain)
    return app


manager = Group(
    create_app=_create_app,
    add_default_commands=True,
    help="Run and look after Redprint. Every command has its own --help.",
)
manager.add_command(run)
manager.add_command(runserver)
manager.add_command(runner)
manager.add_command(worker)
manager.add_command(migration_group())
manager.add_command(database.upgrade)
manager.add_command(database.init_db)
manager.add_command(database.init_db, "init_db")
manager.add_command(database.clear_db)
manager.add_command(database.clear_db, "clear_db")
manager.add_command(create_admin)
manager.add_command(reset_factor)
manager.add_command(scheduler_group)
manager.add_command(message_group)
manager.add_command(build_dashboard)
manager.add_command(openapi)
manager.add_command(asyncapi)
manager.add_command(translations)
