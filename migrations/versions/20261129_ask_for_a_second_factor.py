"""Ask for a second factor.

Revision ID: 0024
Revises: 0023
Create Date: 2026-11-29 07:50:41.302817
"""

import sqlalchemy as sa
from alembic import op

import application.database.types

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "factor",
        sa.Column("user_id", application.database.types.Id(length=36), nullable=False),
        sa.Column("secret", sa.String(length=200), nullable=True),
        sa.Column("last_step", sa.Integer(), nullable=True),
        sa.Column("confirmed_at", application.database.types.UtcDateTime(timezone=True), nullable=True),
        sa.Column("offered", sa.String(length=200), nullable=True),
        sa.Column("offered_at", application.database.types.UtcDateTime(timezone=True), nullable=True),
        sa.Column("created_at", application.database.types.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_factor_user_id_user"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_factor")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_nopad_bin",
        mysql_engine="InnoDB",
    )
    op.create_table(
        "recovery_code",
        sa.Column("user_id", application.database.types.Id(length=36), nullable=False),
        sa.Column("digest", sa.CHAR(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user.id"], name=op.f("fk_recovery_code_user_id_user"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "digest", name=op.f("pk_recovery_code")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_nopad_bin",
        mysql_engine="InnoDB",
    )


def downgrade() -> None:
    """Go back."""
    op.drop_table("recovery_code")
    op.drop_table("factor")
