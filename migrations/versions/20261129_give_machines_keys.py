"""Give machines keys.

Revision ID: 0022
Revises: 0021
Create Date: 2026-11-29 02:59:29.345632
"""

import sqlalchemy as sa
from alembic import op

import application.database.types

revision = '0022'
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.create_table('api_key',
    sa.Column('id', application.database.types.Id(length=36), nullable=False),
    sa.Column('user_id', application.database.types.Id(length=36), nullable=False),
    sa.Column('name', sa.String(length=50), nullable=False),
    sa.Column('prefix', sa.String(length=11), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('permissions', sa.Text(), nullable=False),
    sa.Column('created_at', application.database.types.UtcDateTime(timezone=True), nullable=False),
    sa.Column('expires_at', application.database.types.UtcDateTime(timezone=True), nullable=False),
    sa.Column('last_used_at', application.database.types.UtcDateTime(timezone=True), nullable=True),
    sa.Column('last_used_address', sa.String(length=45), nullable=True),
    sa.ForeignKeyConstraint(['user_id'], ['user.id'], name=op.f('fk_api_key_user_id_user'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_api_key')),
    sa.UniqueConstraint('digest', name=op.f('uq_api_key_digest')),
    mysql_charset='utf8mb4',
    mysql_collate='utf8mb4_nopad_bin',
    mysql_engine='InnoDB'
    )
    with op.batch_alter_table('api_key', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_api_key_expires_at'), ['expires_at'], unique=False)
        batch_op.create_index('ix_api_key_user_id_created_at', ['user_id', 'created_at', 'id'], unique=False)



def downgrade() -> None:
    """Go back."""
    op.drop_table('api_key')  # with its indexes: MariaDB does not drop one alone that a foreign key needs
