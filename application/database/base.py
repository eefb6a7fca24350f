"""Hold the metadata every table belongs to and the unbound database."""

from collections.abc import Sequence
from typing import Any

from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session
from sqlalchemy import Connection, MetaData
from sqlalchemy.orm import DeclarativeBase

from application.database.unit import current_unit, refuse_changes

_METADATA = MetaData(
    naming_convention={  # named constraints can be altered by migrations on every database
        "ix": "ix_%(column_0_N_label)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

TABLE_OPTIONS = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_nopad_bin",  # names differ by case and spaces, as on the other two
}
"""What every table is created with; a model with `__table_args__` of its own puts this behind them."""


IN_THE_KEY = {**TABLE_OPTIONS, "sqlite_with_rowid": False}
"""The same for small rows that are found by a key of text, or of several columns.

By default SQLite finds the number of a row by its key, and then the row by its number; so it finds the row at once.
"""


class UnitSession(Session):
    """Be the session for entities, on the connection of the current unit of work and nowhere else."""

    def get_bind(self, *_args: Any, **_options: Any) -> Connection:
        """Return the unit's connection; Flask-SQLAlchemy's own choice would open a second one."""
        return current_unit().connection

    def flush(self, objects: Sequence[Any] | None = None) -> None:
        """Write the pending changes; a reading unit of work refuses them."""
        if not current_unit().writes:
            refuse_changes(self)
        super().flush(objects)


db = SQLAlchemy(metadata=_METADATA, session_options={"class_": UnitSession}, disable_autonaming=True)


class Base(DeclarativeBase):
    """Be the base of every model."""

    metadata = _METADATA
    __table_args__: Any = TABLE_OPTIONS
