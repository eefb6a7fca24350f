"""Index blogs for search.

Revision ID: 0003
Revises: 0002
Create Date: 2026-11-21 16:30:00.000000
"""

import sqlalchemy as sa
from alembic import op

from application.database import Id, full_text
from application.libs.search_text import index_text

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

BATCH = 200

BLOG = sa.table(
    "blog", sa.column("id", Id), sa.column("title"), sa.column("content"), sa.column("search", full_text.SearchTerms)
)


def upgrade() -> None:
    """Go forward: blogs that are there become findable."""
    op.add_column("blog", sa.Column("search", full_text.SearchTerms(), server_default="", nullable=False))
    connection = op.get_bind()
    keys = list(connection.execute(sa.select(BLOG.c.id)).scalars())
    change = sa.update(BLOG).where(BLOG.c.id == sa.bindparam("key")).values(search=sa.bindparam("terms"))
    for place in range(0, len(keys), BATCH):
        chosen = BLOG.c.id.in_(keys[place : place + BATCH])
        rows = connection.execute(sa.select(BLOG.c.id, BLOG.c.title, BLOG.c.content).where(chosen)).all()
        connection.execute(change, [{"key": key, "terms": index_text(*texts)} for key, *texts in rows])
    full_text.create_index(connection, "blog")


def downgrade() -> None:
    """Go back."""
    full_text.drop_index(op.get_bind(), "blog")
    with op.batch_alter_table("blog", schema=None) as batch_op:
        batch_op.drop_column("search")
