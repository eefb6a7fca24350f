"""Know the collation that filters need of MariaDB, and tell a server that is too old for it."""

from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

LOWERING = "utf8mb4_uca1400_nopad_as_cs"
"""Lowers the letters of Unicode 14, and keeps the others apart; in MariaDB since 10.10."""

_UNKNOWN_COLLATION = 1273


def is_missing(connection: Connection, collation: str = LOWERING) -> bool:
    """Tell whether a server of MariaDB's family does not know the collation."""
    if connection.dialect.name not in {"mysql", "mariadb"}:
        return False
    try:
        connection.execute(text(f"SELECT _utf8mb4'' COLLATE {collation}"))
    except OperationalError as error:
        if getattr(error.orig, "args", (0,))[0] == _UNKNOWN_COLLATION:
            return True
        raise
    return False
