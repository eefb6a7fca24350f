"""Write each attempt of a run down.

Revision ID: 0005
Revises: 0004
Create Date: 2026-11-28 02:24:23.226350
"""

import sqlalchemy as sa
from alembic import op

import application.database.types

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.create_table('scheduler_job_change',
    sa.Column('id', application.database.types.Id(length=36), nullable=False),
    sa.Column('job_id', sa.String(length=191), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('action', sa.String(length=20), nullable=False),
    sa.Column('by', sa.String(length=50), nullable=True),
    sa.Column('at', application.database.types.UtcDateTime(timezone=True), nullable=False),
    sa.Column('definition', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_scheduler_job_change')),
    mysql_charset='utf8mb4',
    mysql_collate='utf8mb4_nopad_bin',
    mysql_engine='InnoDB'
    )
    with op.batch_alter_table('scheduler_job_change', schema=None) as batch_op:
        batch_op.create_index('ix_scheduler_job_change_job_id_id', ['job_id', 'id'], unique=False)

    op.create_table('scheduler_attempt',
    sa.Column('id', application.database.types.Id(length=36), nullable=False),
    sa.Column('run_id', application.database.types.Id(length=36), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('status', sa.String(length=20), nullable=False),
    sa.Column('token', sa.BigInteger(), nullable=False),
    sa.Column('beat', sa.BigInteger(), nullable=False),
    sa.Column('host', sa.String(length=255), nullable=False),
    sa.Column('process', sa.Integer(), nullable=False),
    sa.Column('claimed_at', application.database.types.UtcDateTime(timezone=True), nullable=False),
    sa.Column('started_at', application.database.types.UtcDateTime(timezone=True), nullable=True),
    sa.Column('finished_at', application.database.types.UtcDateTime(timezone=True), nullable=True),
    sa.Column('reason', sa.String(length=2000), nullable=True),
    sa.Column('error_type', sa.String(length=200), nullable=True),
    sa.Column('error_message', sa.String(length=2000), nullable=True),
    sa.Column('traceback', sa.Text(), nullable=True),
    sa.ForeignKeyConstraint(['run_id'], ['scheduler_run.id'], name=op.f('fk_scheduler_attempt_run_id_scheduler_run'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_scheduler_attempt')),
    sa.UniqueConstraint('run_id', 'number', name=op.f('uq_scheduler_attempt_run_id_number')),
    mysql_charset='utf8mb4',
    mysql_collate='utf8mb4_nopad_bin',
    mysql_engine='InnoDB'
    )
    with op.batch_alter_table('scheduler_attempt', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_scheduler_attempt_status'), ['status'], unique=False)

    with op.batch_alter_table('scheduler_run', schema=None) as batch_op:
        batch_op.alter_column('attempt', new_column_name='attempts', existing_type=sa.Integer(), existing_nullable=False)
        batch_op.add_column(sa.Column('due_at', sa.BigInteger(), nullable=True))
        batch_op.create_index(batch_op.f('ix_scheduler_run_due_at'), ['due_at'], unique=False)
        batch_op.drop_column('token')

    with op.batch_alter_table('scheduler_lease', schema=None) as batch_op:
        batch_op.add_column(sa.Column('paused_by', sa.String(length=50), nullable=True))
        batch_op.add_column(sa.Column('paused_at', application.database.types.UtcDateTime(timezone=True), nullable=True))

    # What waits is due at once; what was running has no attempt whose beat could tell, and is begun again.
    op.execute("UPDATE scheduler_run SET status = 'queued', due_at = scheduled_at WHERE status IN ('queued', 'running')")


def downgrade() -> None:
    """Go back."""
    with op.batch_alter_table('scheduler_lease', schema=None) as batch_op:
        batch_op.drop_column('paused_at')
        batch_op.drop_column('paused_by')
    with op.batch_alter_table('scheduler_run', schema=None) as batch_op:
        batch_op.add_column(sa.Column('token', sa.BigInteger(), nullable=False, server_default='0'))
        batch_op.alter_column('attempts', new_column_name='attempt', existing_type=sa.Integer(), existing_nullable=False)
        batch_op.drop_index(batch_op.f('ix_scheduler_run_due_at'))
        batch_op.drop_column('due_at')
    with op.batch_alter_table('scheduler_run', schema=None) as batch_op:
        batch_op.alter_column('token', server_default=None, existing_type=sa.BigInteger(), existing_nullable=False)

    with op.batch_alter_table('scheduler_attempt', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_scheduler_attempt_status'))

    op.drop_table('scheduler_attempt')
    op.drop_table('scheduler_job_change')
