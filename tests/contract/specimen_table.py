"""The table behind the specimen: a column of each kind that goes over the wire."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from application.database import TABLE_OPTIONS, Id, UtcDateTime

METADATA = sa.MetaData()
_OPTIONS: dict[str, Any] = dict(TABLE_OPTIONS)

TABLE = sa.Table(
    "specimen",
    METADATA,
    sa.Column("id", Id, primary_key=True),
    sa.Column("name", sa.String(50), nullable=False),
    sa.Column("story", sa.Text().with_variant(mysql.MEDIUMTEXT(), "mysql", "mariadb"), nullable=False),
    sa.Column("small", sa.Integer, nullable=False),
    sa.Column("large", sa.BigInteger, nullable=False),
    sa.Column("ratio", sa.Double, nullable=False),
    sa.Column("flag", sa.Boolean, nullable=False),
    sa.Column("moment", UtcDateTime, nullable=False),
    sa.Column("colour", sa.String(10), nullable=False),
    sa.Column("extra", sa.JSON, nullable=False),
    sa.Column("maybe", sa.String(50)),
    **_OPTIONS,
)
