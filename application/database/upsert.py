"""Insert a row, or change the one that has its key, in one statement on every database: nobody comes in between."""

from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql, sqlite

from application.database.base import Base
from application.database.unit import current_unit, execute

Changes = Sequence[tuple[str, Any]]
"""What columns become, in this order."""


class Upsert:
    """Hold such a statement; the row's values, and those of its bound parameters, come when it is run.

    `changes` is given the values that would have been inserted. MariaDB computes one change after another and sees in
    each what those before it have made, so a column that others are computed from is named behind them.
    """

    def __init__(self, model: type[Base], changes: Callable[[Any], Changes], *, returning: Sequence[Any]) -> None:
        """Write the statement once for each database; `returning` are columns of the row as it is then."""
        keys = [column.name for column in sa.inspect(model).primary_key]
        on_sqlite, on_postgresql, on_mariadb = sqlite.insert(model), postgresql.insert(model), mysql.insert(model)
        upserts: dict[str, Any] = {
            "sqlite": on_sqlite.on_conflict_do_update(index_elements=keys, set_=dict(changes(on_sqlite.excluded))),
            "postgresql": on_postgresql.on_conflict_do_update(
                index_elements=keys, set_=dict(changes(on_postgresql.excluded))
            ),
            "mysql": on_mariadb.on_duplicate_key_update(list(changes(on_mariadb.inserted))),
        }
        upserts["mariadb"] = upserts["mysql"]
        self._upserts = {name: statement.returning(*returning) for name, statement in upserts.items()}

    def run(self, **values: Any) -> sa.Row[Any]:
        """Insert or change the row in the current unit of work, and return what it was to return."""
        return execute(self._upserts[current_unit().dialect], **values).one()
