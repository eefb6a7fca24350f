"""Keep messages.

Revision ID: 0015
Revises: 0014
Create Date: 2026-11-28 13:58:50.790562
"""

import sqlalchemy as sa
from alembic import op

import application.database.types
from sqlalchemy.dialects import mysql
revision = '0015'
down_revision = '0014'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.create_table('message',
    sa.Column('id', application.database.types.Id(length=36), nullable=False),
    sa.Column('channel', sa.String(length=10), nullable=False),
    sa.Column('recipient', sa.String(length=254), nullable=False),
    sa.Column('template', sa.String(length=50), nullable=False),
    sa.Column('language', sa.String(length=20), nullable=False),
    sa.Column('subject', sa.String(length=200), nullable=True),
    sa.Column('parameters', sa.Text().with_variant(mysql.MEDIUMTEXT(), 'mariadb').with_variant(mysql.MEDIUMTEXT(), 'mysql'), nullable=False),
    sa.Column('secrets', sa.Text().with_variant(mysql.MEDIUMTEXT(), 'mariadb').with_variant(mysql.MEDIUMTEXT(), 'mysql'), nullable=True),
    sa.Column('state', sa.String(length=10), nullable=False),
    sa.Column('task_id', application.database.types.Id(length=36), nullable=True),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('reply', sa.String(length=500), nullable=True),
    sa.Column('created_at', application.database.types.UtcDateTime(timezone=True), nullable=False),
    sa.Column('sent_at', application.database.types.UtcDateTime(timezone=True), nullable=True),
    sa.Column('failed_at', application.database.types.UtcDateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_message')),
    mysql_charset='utf8mb4',
    mysql_collate='utf8mb4_nopad_bin',
    mysql_engine='InnoDB'
    )
    with op.batch_alter_table('message', schema=None) as batch_op:
        batch_op.create_index('ix_message_created_at', ['created_at', 'id'], unique=False)
        batch_op.create_index('ix_message_recipient_created_at', ['recipient', 'created_at', 'id'], unique=False)
        batch_op.create_index('ix_message_state_created_at', ['state', 'created_at', 'id'], unique=False)



def downgrade() -> None:
    """Go back."""
    with op.batch_alter_table('message', schema=None) as batch_op:
        batch_op.drop_index('ix_message_state_created_at')
        batch_op.drop_index('ix_message_recipient_created_at')
        batch_op.drop_index('ix_message_created_at')

    op.drop_table('message')
