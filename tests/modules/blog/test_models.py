"""The blogs' index for searching; those that the lists walk are asked for in tests/contract/test_plans.py."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import bindparam, insert, text, update

from application.database import change, db, transaction
from application.libs.ident import new_id
from application.modules.blog import business
from application.modules.blog.models import Blog, Status
from application.modules.user.models import User
from tests.plans import Plan, analyze, explain
from tests.statements import questions

ADA = "01981f3e-7c5a-7b1e-9c55-0d7f5b1f2a10"
BOB = "01981f3e-7c5a-7b1e-9c55-0d7f5b1f2a11"
MIDDLE = datetime(2026, 11, 20, tzinfo=UTC)


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
        analyze()
    return app


def plan_of(app: Flask, choice: dict[str, Any]) -> Plan:
    """Return the database's plan of a list's statement."""
    with app.app_context(), transaction(write=False) as unit:
        with questions(app) as seen:
            business.search(limit=20, **choice)
        statement, parameters = next(item for item in seen if item[0].startswith("SELECT page.id"))
        return explain(unit.connection, statement, parameters)


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
SEARCHED = {"sqlite": "virtual", "postgresql": "ix_blog_search", "mysql": "ix_blog_search"}


class TestBlog:
    def test_serves_a_search_for_something_rare_from_its_index(self, library: Flask) -> None:
        with library.app_context():
            dialect = db.engine.dialect.name
            with transaction():
                change(update(Blog).where(Blog.title == bindparam("key")).values(search=bindparam("terms")), WORDS)
            analyze()
            with transaction() as unit:
                for statement in TIDY.get(dialect, ()):
                    unit.connection.execute(text(statement))
        for choice in SEARCHES:
            plan = plan_of(library, choice)
            assert SEARCHED[dialect] in plan.indexes, (choice, plan.text)
