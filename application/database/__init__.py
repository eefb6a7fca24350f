"""Reach the database: models derive from `Base`, rules run statements in the unit of work the edge opened."""

from application.database.base import IN_THE_KEY, TABLE_OPTIONS, Base, db
from application.database.engine import engine_options, prepare_engine
from application.database.failure import SerializationFailure
from application.database.rewrite import rewrite
from application.database.stamp import stamp_of
from application.database.types import Id, UtcDateTime
from application.database.unit import (
    Unit,
    after_commit,
    change,
    execute,
    gather,
    gathered,
    is_inside_unit,
    isolated,
    put_off,
    reader_beside,
    transaction,
    write_aside,
)

__all__ = [
    "IN_THE_KEY",
    "TABLE_OPTIONS",
    "Base",
    "Id",
    "SerializationFailure",
    "Unit",
    "UtcDateTime",
    "after_commit",
    "change",
    "db",
    "engine_options",
    "execute",
    "gather",
    "gathered",
    "is_inside_unit",
    "isolated",
    "prepare_engine",
    "put_off",
    "reader_beside",
    "rewrite",
    "stamp_of",
    "transaction",
    "write_aside",
]
