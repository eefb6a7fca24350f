"""Tell what the scheduler does.

Revision ID: 0010
Revises: 0009
Create Date: 2026-11-28 05:36:40.217625
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

import application.database.types

revision = '0010'
down_revision = '0009'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.create_table('scheduler_event',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('number', sa.BigInteger(), nullable=True),
    sa.Column('size', sa.Integer(), nullable=False),
    sa.Column('at', application.database.types.UtcDateTime(timezone=True), nullable=False),
    sa.Column('content', sa.Text().with_variant(mysql.MEDIUMTEXT(), 'mariadb').with_variant(mysql.MEDIUMTEXT(), 'mysql'), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_scheduler_event')),
    mysql_charset='utf8mb4',
    mysql_collate='utf8mb4_nopad_bin',
    mysql_engine='InnoDB'
    )
    with op.batch_alter_table('scheduler_event', schema=None) as batch_op:
        batch_op.create_index('ix_scheduler_event_number_id', ['number', 'id'], unique=False)

    op.create_table('scheduler_feed',
    sa.Column('name', sa.String(length=20), nullable=False),
    sa.Column('number', sa.BigInteger(), nullable=False),
    sa.Column('totals', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_scheduler_feed')),
    mysql_charset='utf8mb4',
    mysql_collate='utf8mb4_nopad_bin',
    mysql_engine='InnoDB'
    )
    op.create_table('scheduler_member',
    sa.Column('name', sa.String(length=100), nullable=False),
    sa.Column('host', sa.String(length=255), nullable=False),
    sa.Column('process', sa.Integer(), nullable=False),
    sa.Column('since', application.database.types.UtcDateTime(timezone=True), nullable=False),
    sa.Column('seen_at', application.database.types.UtcDateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_scheduler_member')),
    mysql_charset='utf8mb4',
    mysql_collate='utf8mb4_nopad_bin',
    mysql_engine='InnoDB'
    )


def downgrade() -> None:
    """Go back."""
    op.drop_table('scheduler_member')
    op.drop_table('scheduler_feed')
    with op.batch_alter_table('scheduler_event', schema=None) as batch_op:
        batch_op.drop_index('ix_scheduler_event_number_id')

    op.drop_table('scheduler_event')
