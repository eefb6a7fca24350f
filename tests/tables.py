"""Look into the tables, behind the rules."""

from typing import Any

from flask import Flask
from sqlalchemy import func, select

from application.database import Base, execute, transaction


def count_rows(app: Flask, table: str, **values: Any) -> int:
    """Return how many rows of the table carry these values."""
    columns = Base.metadata.tables[table].c
    statement = select(func.count()).where(*(columns[name] == value for name, value in values.items()))
    with app.app_context(), transaction(write=False):
        return execute(statement.select_from(Base.metadata.tables[table])).scalar_one()
