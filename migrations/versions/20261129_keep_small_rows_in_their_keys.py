"""Keep small rows in their keys.

Revision ID: 0027
Revises: 0026
Create Date: 2026-11-29 23:52:11.402318
"""

from alembic import op

revision = '0027'
down_revision = '0026'
branch_labels = None
depends_on = None

TABLES = ('tag', 'blog_tag', 'user')


def upgrade() -> None:
    """Go forward: SQLite finds the row where it finds the key; the others have their own ways."""
    _copy(with_rowid=False)


def downgrade() -> None:
    """Go back."""
    _copy(with_rowid=True)


def _copy(*, with_rowid: bool) -> None:
    if op.get_bind().dialect.name != 'sqlite':
        return
    for table in TABLES:
        with op.batch_alter_table(table, recreate='always', table_kwargs={'sqlite_with_rowid': with_rowid}):
            pass
