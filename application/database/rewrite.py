"""Change many rows that are there, each to values of its own, in few statements on every database."""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from application.database.base import Base
from application.database.unit import change, current_unit


def rewrite(model: type[Base], rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
    """Give `columns` of each row the values it has in `rows`, which are whole; the unit of work has locked them.

    MariaDB's driver sends an UPDATE once for each row, but inserted rows together; there they take their own places.
    """
    if not rows:
        return
    if current_unit().dialect in {"mysql", "mariadb"}:
        insert = mysql.insert(model)
        again = insert.on_duplicate_key_update({name: insert.inserted[name] for name in columns})
        change(again, [dict(row) for row in rows])
        return
    keys = [column.name for column in sa.inspect(model).primary_key]
    update = sa.update(model).where(*(getattr(model, key) == sa.bindparam(f"key_{key}") for key in keys))
    change(
        update,
        [{f"key_{key}": row[key] for key in keys} | {name: row[name] for name in columns} for row in rows],
    )
