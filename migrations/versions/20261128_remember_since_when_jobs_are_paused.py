"""Remember since when jobs are paused.

Revision ID: 0008
Revises: 0007
Create Date: 2026-11-28 05:34:05.111756
"""

import sqlalchemy as sa
from alembic import op

import application.database.types

revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    with op.batch_alter_table('scheduler_job', schema=None) as batch_op:
        batch_op.add_column(sa.Column('paused_at', application.database.types.UtcDateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('left_out_from', sa.BigInteger(), nullable=True))

    with op.batch_alter_table('scheduler_lease', schema=None) as batch_op:
        batch_op.add_column(sa.Column('last_paused_by', sa.String(length=50), nullable=True))
        batch_op.add_column(sa.Column('last_paused_at', application.database.types.UtcDateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('last_resumed_at', application.database.types.UtcDateTime(timezone=True), nullable=True))



def downgrade() -> None:
    """Go back."""
    with op.batch_alter_table('scheduler_lease', schema=None) as batch_op:
        batch_op.drop_column('last_resumed_at')
        batch_op.drop_column('last_paused_at')
        batch_op.drop_column('last_paused_by')

    with op.batch_alter_table('scheduler_job', schema=None) as batch_op:
        batch_op.drop_column('left_out_from')
        batch_op.drop_column('paused_at')

