"""The blogs' indexes: every list walks one and stops at the end of its page."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import bindparam, event, insert, text, update

from application.database import change, db, transaction
from application.libs.ident import new_id
from application.libs.page import encode_cursor
from application.modules.blog import business
from application.modules.blog.models import Blog, Status
from application.modules.user.models import User

ADA = "01981f3e-7c5a-7b1e-9c55-0d7f5b1f2a10"
BOB = "01981f3e-7c5a-7b1e-9c55-0d7f5b1f2a11"
MIDDLE = datetime(2026, 11, 20, tzinfo=UTC)
TIME = MIDDLE.isoformat()

ANALYZE = {
    "sqlite": [],  # its planner needs no figures
    "postgresql": ['ANALYZE "user"', "ANALYZE blog"],
    "mysql": ["ANALYZE TABLE `user`, blog"],
    "mariadb": ["ANALYZE TABLE `user`, blog"],
}

LISTS: list[tuple[dict[str, Any], str]] = [
    ({"viewer_id": None}, "ix_blog_created_at"),
    ({"viewer_id": ADA}, "ix_blog_created_at"),
    ({"viewer_id": ADA, "status": Status.PUBLISHED}, "ix_blog_created_at"),
    ({"viewer_id": None, "after": encode_cursor("-created_at", [TIME, BOB])}, "ix_blog_created_at"),
    ({"viewer_id": ADA, "after": encode_cursor("-created_at", [TIME, BOB])}, "ix_blog_created_at"),
    ({"viewer_id": None, "sort": "-updated_at"}, "ix_blog_updated_at"),
    ({"viewer_id": ADA, "sort": "updated_at"}, "ix_blog_updated_at"),
    ({"viewer_id": None, "sort": "title"}, "ix_blog_title"),
    ({"viewer_id": ADA, "sort": "title", "after": encode_cursor("title", ["m", BOB])}, "ix_blog_title"),
    ({"viewer_id": None, "owner": BOB}, "ix_blog_owner_created_at"),
    ({"viewer_id": ADA, "owner": BOB}, "ix_blog_owner_created_at"),
    ({"viewer_id": ADA, "owner": ADA}, "ix_blog_owner_created_at"),
    ({"viewer_id": ADA, "status": Status.DRAFT}, "ix_blog_owner_created_at"),
]


@pytest.fixture
def library(app: Flask) -> Flask:
    """Fill the tables, so that planning is worth the while, and let the database look at them."""
    start, users = MIDDLE - timedelta(seconds=2_000), [ADA, BOB, *(new_id() for _ in range(8))]
    people = [
        {"id": key, "name": f"user {number}", "created_at": start, "updated_at": start}
        for number, key in enumerate(users)
    ]
    blogs = []
    for number in range(4_000):
        moment = start + timedelta(seconds=number)
        published = number % 10 > 0
        blogs.append(
            {
                "id": new_id(),
                "owner_id": users[number % len(users)],
                "title": f"title {number * 7919 % 4_000}",
                "content": "Some words.",
                "status": Status.PUBLISHED if published else Status.DRAFT,
                "published_at": moment if published else None,
                "created_at": moment,
                "updated_at": moment,
            }
        )
    with app.app_context():
        with transaction():
            change(insert(User), people)
            change(insert(Blog), blogs)
        with transaction() as unit:
            for statement in ANALYZE[db.engine.dialect.name]:
                unit.connection.execute(text(statement))
    return app


def explain(choice: dict[str, Any]) -> str:
    """Return the database's plan of a list's statement."""
    seen: list[tuple[str, Any]] = []

    def note(_connection: object, _cursor: object, statement: str, parameters: Any, *_more: object) -> None:
        seen.append((statement, parameters))

    with transaction(write=False) as unit:
        event.listen(db.engine, "before_cursor_execute", note)
        try:
            business.search(limit=20, **choice)
        finally:
            event.remove(db.engine, "before_cursor_execute", note)
        statement, parameters = next(item for item in seen if item[0].startswith("SELECT blog.id"))
        plan = "EXPLAIN QUERY PLAN" if db.engine.dialect.name == "sqlite" else "EXPLAIN"
        rows = unit.connection.exec_driver_sql(f"{plan} {statement}", parameters).all()
    return "\n".join(str(tuple(row)) for row in rows)


WORDS = [
    {
        "key": f"title {number}",
        "terms": f"wwsome wwwords ww{number} " + " ".join(f"wwx{number % 97}y{place}" for place in range(60)),
    }
    for number in range(4_000)
]
TIDY = {"postgresql": ["SELECT gin_clean_pending_list('ix_blog_search')"]}
SEARCHES: list[dict[str, Any]] = [
    {"viewer_id": None, "q": "3999"},
    {"viewer_id": ADA, "q": "3999 some"},
    {"viewer_id": None, "q": "399", "sort": "title"},
    {"viewer_id": ADA, "q": "words 17", "status": Status.PUBLISHED},
]
SEARCHED = {"sqlite": "blog_fts VIRTUAL TABLE INDEX", "postgresql": "ix_blog_search", "mysql": "ix_blog_search"}


class TestBlog:
    def test_serves_a_search_for_something_rare_from_its_index(self, library: Flask) -> None:
        with library.app_context():
            with transaction():
                change(update(Blog).where(Blog.title == bindparam("key")).values(search=bindparam("terms")), WORDS)
            with transaction() as unit:
                for statement in (*ANALYZE[db.engine.dialect.name], *TIDY.get(db.engine.dialect.name, ())):
                    unit.connection.execute(text(statement))
        for choice in SEARCHES:
            with library.app_context():
                plan, dialect = explain(choice), db.engine.dialect.name
            assert SEARCHED[dialect] in plan, (choice, plan)

    def test_serves_every_list_from_an_index_without_sorting_all(self, library: Flask) -> None:
        for choice, index in LISTS:
            with library.app_context():
                plan = explain(choice)
            assert index in plan, choice
            if index != "ix_blog_owner_created_at":  # a planner may prefer to sort the blogs of one user
                assert not [word for word in ("TEMP B-TREE", "Sort", "filesort") if word in plan], plan
