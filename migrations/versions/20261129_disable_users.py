"""Disable users.

Revision ID: 0023
Revises: 0022
Create Date: 2026-11-29 07:50:31.187076
"""

import sqlalchemy as sa
from alembic import op

import application.database.types

revision = '0023'
down_revision = '0022'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    with op.batch_alter_table('user', schema=None) as batch_op:
        batch_op.add_column(sa.Column('disabled_at', application.database.types.UtcDateTime(timezone=True), nullable=True))



def downgrade() -> None:
    """Go back."""
    with op.batch_alter_table('user', schema=None) as batch_op:
        batch_op.drop_column('disabled_at')

