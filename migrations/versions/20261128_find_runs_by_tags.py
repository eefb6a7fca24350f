"""Find runs by tags, and remember since when jobs are quarantined.

Revision ID: 0009
Revises: 0008
Create Date: 2026-11-28 05:45:00.000000
"""

import sqlalchemy as sa
from alembic import op

import application.database.types

revision = '0009'
down_revision = '0008'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    with op.batch_alter_table('scheduler_run', schema=None) as batch_op:
        batch_op.add_column(sa.Column('tags', sa.String(length=2000), nullable=True))

    with op.batch_alter_table('scheduler_job', schema=None) as batch_op:
        batch_op.add_column(sa.Column('quarantined_at', application.database.types.UtcDateTime(timezone=True), nullable=True))


def downgrade() -> None:
    """Go back."""
    with op.batch_alter_table('scheduler_job', schema=None) as batch_op:
        batch_op.drop_column('quarantined_at')

    with op.batch_alter_table('scheduler_run', schema=None) as batch_op:
        batch_op.drop_column('tags')
