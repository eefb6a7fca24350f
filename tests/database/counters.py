"""An application that counts: enough to meet on a row."""

import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from application.database import TABLE_OPTIONS, change, db, engine_options, execute, prepare_engine

METADATA = sa.MetaData()


class Entities(DeclarativeBase):
    """Hold the tables of these tests, apart from the application's."""

    metadata = METADATA


class Counter(Entities):
    """Count something."""

    __tablename__ = "counter"
    __table_args__ = (sa.CheckConstraint("value >= 0", name="ck_counter_value"), TABLE_OPTIONS)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(sa.String(20), unique=True)
    value: Mapped[int]


COUNTER = METADATA.tables["counter"]
READ = sa.select(COUNTER.c.value).where(COUNTER.c.id == sa.bindparam("key"))
WRITE = COUNTER.update().where(COUNTER.c.id == sa.bindparam("key"))


def build(url: str, pool_size: int = 3) -> Flask:
    """Return an application on this database, without any view."""
    app = Flask("counter")
    app.config.update(SQLALCHEMY_DATABASE_URI=url, SQLALCHEMY_ENGINE_OPTIONS=engine_options(url, pool_size))
    db.init_app(app)
    with app.app_context():
        prepare_engine(db.engine)
    return app


def create_tables(app: Flask) -> None:
    """Create the table of counters."""
    with app.app_context():
        METADATA.create_all(db.engine)


def value(key: int = 1) -> int:
    """Read a counter in the current unit of work."""
    number: int = execute(READ, key=key).scalar_one()
    return number


def put(number: int, key: int = 1) -> int:
    """Set a counter in the current unit of work."""
    return change(WRITE, key=key, value=number)
