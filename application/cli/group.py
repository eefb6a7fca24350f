"""Be the group of commands behind `manager.py`."""

from flask import Flask
from flask.cli import FlaskGroup
from flask_migrate.cli import db as migration_commands

from application.cli import database
from application.cli.dashboard import build_dashboard
from application.cli.openapi import openapi
from application.factory import create_app


def _create_app() -> Flask:
    app = create_app()
    database.init_app(app)
    return app


manager = FlaskGroup(
    create_app=_create_app,
    add_default_commands=True,
    help="Run and look after Redprint. Every command has its own --help.",
)
manager.add_command(migration_commands, "db")
manager.add_command(database.upgrade)
manager.add_command(database.init_db)
manager.add_command(database.init_db, "init_db")
manager.add_command(database.clear_db)
manager.add_command(database.clear_db, "clear_db")
manager.add_command(build_dashboard)
manager.add_command(openapi)
