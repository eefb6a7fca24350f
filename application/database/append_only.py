"""Let the database itself refuse to change the rows of a table: by a trigger on SQLite, PostgreSQL and MariaDB.

Migrations call `forbid_updates` and `allow_updates`; one that makes the table anew on SQLite (`batch_alter_table`)
calls both around it, because the trigger goes with the old table.

    op.create_table("audit", …)
    append_only.forbid_updates(op.get_bind(), "audit")
"""

import logging
from string import Template

from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

_LOG = logging.getLogger(__name__)

_CREATE = {
    "sqlite": ("CREATE TRIGGER ${table}_append_only BEFORE UPDATE ON $table BEGIN SELECT RAISE(ABORT, '$says'); END",),
    "postgresql": (
        "CREATE FUNCTION ${table}_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$$$ BEGIN RAISE EXCEPTION '$says'; END $$$$",
        "CREATE TRIGGER ${table}_append_only BEFORE UPDATE ON $table "
        "FOR EACH ROW EXECUTE FUNCTION ${table}_append_only()",
    ),
    "mysql": (
        "CREATE TRIGGER ${table}_append_only BEFORE UPDATE ON $table "
        "FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = '$says'",
    ),
}
_DROP = {
    "sqlite": ("DROP TRIGGER IF EXISTS ${table}_append_only",),
    "postgresql": (
        "DROP TRIGGER IF EXISTS ${table}_append_only ON $table",
        "DROP FUNCTION IF EXISTS ${table}_append_only()",
    ),
    "mysql": ("DROP TRIGGER IF EXISTS ${table}_append_only",),
}
_MAY_NOT = frozenset({1142, 1227, 1419})
"""MariaDB's errors for an account without TRIGGER, and, where it keeps a binary log, without SUPER."""


def forbid_updates(connection: Connection, table: str) -> bool:
    """Refuse every UPDATE of the table from now on; return False where MariaDB lets this account make no trigger.

    The rules change no row there either; what is missing is the second lock, and the log says so.
    """
    try:
        _run(connection, _CREATE, table)
    except OperationalError as error:
        if getattr(error.orig, "args", (0,))[0] not in _MAY_NOT:
            raise
        _LOG.warning("No trigger keeps the rows of %s from being changed, because the server says: %s", table, error)
        return False
    return True


def allow_updates(connection: Connection, table: str) -> None:
    """Take back what `forbid_updates` did."""
    _run(connection, _DROP, table)


def _run(connection: Connection, statements: dict[str, tuple[str, ...]], table: str) -> None:
    name = connection.dialect.name
    for statement in statements["mysql" if name == "mariadb" else name]:
        connection.exec_driver_sql(
            Template(statement).substitute(table=table, says=f"the rows of {table} are never changed")
        )
