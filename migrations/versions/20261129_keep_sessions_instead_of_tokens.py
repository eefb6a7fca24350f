"""Keep sessions instead of tokens.

Revision ID: 0018
Revises: 0017
Create Date: 2026-11-29 02:53:07.324223
"""

import sqlalchemy as sa
from alembic import op

import application.database.types

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "session",
        sa.Column("id", application.database.types.Id(length=36), nullable=False),
        sa.Column("user_id", application.database.types.Id(length=36), nullable=False),
        sa.Column("access_digest", sa.String(length=64), nullable=False),
        sa.Column("access_expires_at", application.database.types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("family", sa.String(length=64), nullable=True),
        sa.Column("refresh_digest", sa.String(length=64), nullable=True),
        sa.Column("previous_digest", sa.String(length=64), nullable=True),
        sa.Column("refreshed_at", application.database.types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("expires_at", application.database.types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("ends_at", application.database.types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("created_at", application.database.types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", application.database.types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("second_factor_at", application.database.types.UtcDateTime(timezone=True), nullable=True),
        sa.Column("device", sa.String(length=200), nullable=False),
        sa.Column("address", sa.String(length=45), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_session_user_id_user"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_session")),
        sa.UniqueConstraint("access_digest", name=op.f("uq_session_access_digest")),
        sa.UniqueConstraint("family", name=op.f("uq_session_family")),
        sa.UniqueConstraint("refresh_digest", name=op.f("uq_session_refresh_digest")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_nopad_bin",
        mysql_engine="InnoDB",
    )
    with op.batch_alter_table("session", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_session_expires_at"), ["expires_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_session_user_id"), ["user_id"], unique=False)

    op.drop_table("token")


def downgrade() -> None:
    """Go back."""
    op.create_table(
        "token",
        sa.Column("id", application.database.types.Id(length=36), nullable=False),
        sa.Column("user_id", application.database.types.Id(length=36), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("created_at", application.database.types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("expires_at", application.database.types.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_token_user_id_user"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_token")),
        sa.UniqueConstraint("digest", name=op.f("uq_token_digest")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_nopad_bin",
        mysql_engine="InnoDB",
    )
    with op.batch_alter_table("token", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_token_expires_at"), ["expires_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_token_user_id"), ["user_id"], unique=False)

    op.drop_table("session")
