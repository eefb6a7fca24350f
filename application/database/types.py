"""Store ids and times the same way for Python on every database."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import CHAR, DateTime, Dialect, String
from sqlalchemy.dialects import mysql
from sqlalchemy.engine.processors import str_to_datetime
from sqlalchemy.types import UUID, TypeDecorator, TypeEngine


class Id(TypeDecorator[str]):
    """Hold a UUID as canonical text in Python: `CHAR(36)` on SQLite, native `uuid` on PostgreSQL and MariaDB.

    `uuid.UUID` objects cost most of the time of a page; the text costs nothing.
    """

    impl = CHAR(36)
    cache_ok = True

    @property
    def python_type(self) -> type[str]:
        """Name what Python sees."""
        return str

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the column's type."""
        if dialect.name in {"postgresql", "mysql", "mariadb"}:
            return dialect.type_descriptor(UUID(as_uuid=False))
        return self.impl_instance  # made once, because every `IN (…)` asks again


class UtcDateTime(TypeDecorator[datetime]):
    """Hold an aware UTC time with microseconds; naive values are refused.

    Text with offset on SQLite (it sorts as time), `timestamptz` on PostgreSQL, `DATETIME(6)` in UTC on MariaDB.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    @property
    def python_type(self) -> type[datetime]:
        """Name what Python sees."""
        return datetime

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the column's type."""
        if dialect.name == "sqlite":
            return dialect.type_descriptor(String(32))
        if dialect.name in {"mysql", "mariadb"}:
            return dialect.type_descriptor(mysql.DATETIME(fsp=6))
        return dialect.type_descriptor(DateTime(timezone=True))

    def bind_processor(self, dialect: Dialect) -> Callable[[datetime | None], Any]:
        """Return what turns an aware time into the driver's value."""
        if dialect.name == "sqlite":
            return lambda value: None if value is None else _utc(value).isoformat(timespec="microseconds")
        if dialect.name in {"mysql", "mariadb"}:
            return lambda value: None if value is None else _utc(value).replace(tzinfo=None)
        return lambda value: None if value is None else _utc(value)

    def result_processor(self, dialect: Dialect, _coltype: object) -> Callable[[Any], datetime | None] | None:
        """Return what turns the driver's value into an aware time; PostgreSQL's driver already gives one."""
        if dialect.name == "sqlite":
            from_text: Callable[[Any], datetime | None] = str_to_datetime  # in C, None included
            return from_text
        if dialect.name in {"mysql", "mariadb"}:
            return lambda value: None if value is None else value.replace(tzinfo=UTC)
        return None


def _utc(value: datetime) -> datetime:
    if value.tzinfo is None:
        message = f"{value!r} has no time zone; use an aware time such as datetime.now(UTC)"
        raise ValueError(message)
    return value.astimezone(UTC)
