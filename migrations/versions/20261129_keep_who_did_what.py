"""Keep who did what.

Revision ID: 0020
Revises: 0019
Create Date: 2026-11-29 02:58:47.018065
"""

import sqlalchemy as sa
from alembic import op

import application.database.types
from application.database import append_only
from sqlalchemy.dialects import mysql
revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.create_table('audit',
    sa.Column('id', application.database.types.Id(length=36), nullable=False),
    sa.Column('at', application.database.types.UtcDateTime(timezone=True), nullable=False),
    sa.Column('actor_id', application.database.types.Id(length=36), nullable=True),
    sa.Column('actor_name', sa.String(length=200), nullable=False),
    sa.Column('action', sa.String(length=50), nullable=False),
    sa.Column('subject_kind', sa.String(length=50), nullable=False),
    sa.Column('subject_id', sa.String(length=191), nullable=True),
    sa.Column('subject_name', sa.String(length=200), nullable=True),
    sa.Column('address', sa.String(length=64), nullable=True),
    sa.Column('request_id', sa.String(length=64), nullable=True),
    sa.Column('before', sa.Text().with_variant(mysql.MEDIUMTEXT(), 'mariadb').with_variant(mysql.MEDIUMTEXT(), 'mysql'), nullable=True),
    sa.Column('after', sa.Text().with_variant(mysql.MEDIUMTEXT(), 'mariadb').with_variant(mysql.MEDIUMTEXT(), 'mysql'), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_audit')),
    mysql_charset='utf8mb4',
    mysql_collate='utf8mb4_nopad_bin',
    mysql_engine='InnoDB'
    )
    with op.batch_alter_table('audit', schema=None) as batch_op:
        batch_op.create_index('ix_audit_action_at', ['action', 'at', 'id'], unique=False)
        batch_op.create_index('ix_audit_actor_at', ['actor_id', 'at', 'id'], unique=False)
        batch_op.create_index('ix_audit_at', ['at', 'id'], unique=False)
        batch_op.create_index('ix_audit_subject_at', ['subject_id', 'at', 'id'], unique=False)

    append_only.forbid_updates(op.get_bind(), 'audit')



def downgrade() -> None:
    """Go back."""
    append_only.allow_updates(op.get_bind(), 'audit')
    with op.batch_alter_table('audit', schema=None) as batch_op:
        batch_op.drop_index('ix_audit_subject_at')
        batch_op.drop_index('ix_audit_at')
        batch_op.drop_index('ix_audit_actor_at')
        batch_op.drop_index('ix_audit_action_at')

    op.drop_table('audit')
