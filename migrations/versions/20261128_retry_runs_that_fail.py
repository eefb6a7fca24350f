"""Retry runs that fail.

Revision ID: 0007
Revises: 0006
Create Date: 2026-11-28 05:19:30.055899
"""

import sqlalchemy as sa
from alembic import op

import application.database.types

revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    with op.batch_alter_table('scheduler_run', schema=None) as batch_op:
        batch_op.add_column(sa.Column('failures', sa.Integer(), server_default='0', nullable=False))



def downgrade() -> None:
    """Go back."""
    with op.batch_alter_table('scheduler_run', schema=None) as batch_op:
        batch_op.drop_column('failures')

