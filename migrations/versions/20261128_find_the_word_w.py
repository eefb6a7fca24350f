"""Find the word `w` on MariaDB, which leaves its term out of the index.

Revision ID: 0004
Revises: 0003
Create Date: 2026-11-28 02:20:00.000000
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

BATCH = 500
BEFORE_ALL = "00000000-0000-0000-0000-000000000000"

KEYS = sa.text("SELECT id FROM blog WHERE id > :after ORDER BY id LIMIT :batch")
CHANGE = sa.text(  # each term stands once
    "UPDATE blog SET search = TRIM(REPLACE(CONCAT(' ', search, ' '), ' www ', ' wwwz '))"
    " WHERE id > :after AND id <= :last AND CONCAT(' ', search, ' ') LIKE '% www %'"
)


def upgrade() -> None:
    """Go forward: `www`, a stop word, gets an end mark; code of before asks for `www*` and finds it, too.

    Each batch is committed, lest others wait for the locks of all rows; what was begun can be gone on with.
    """
    if op.get_bind().dialect.name not in {"mysql", "mariadb"}:
        return  # the others have no stop words here and find what stands there
    with op.get_context().autocommit_block():
        connection, after = op.get_bind(), BEFORE_ALL
        while keys := connection.execute(KEYS, {"after": after, "batch": BATCH}).scalars().all():
            connection.execute(CHANGE, {"after": after, "last": keys[-1]})
            after = keys[-1]


def downgrade() -> None:
    """Go back: nothing is to be done, code of before finds the marked term."""
