"""Fill every table that is listed with so many rows that planning is worth the while."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Column, Table, insert

from application.database import Base, Id, change, transaction
from application.libs.ident import new_id
from application.modules.scheduler.models import FEED
from application.permissions import Role

ROWS = 10_000
FEWER = 2000
"""Of what is in few indexes, or read by few: enough for every planner to walk an index, too."""

_FEW = ("api_key", "scheduler_job", "scheduler_event")

START = datetime(2026, 11, 20, tzinfo=UTC)
LATER = datetime(2100, 1, 1, tzinfo=UTC)

Make = Callable[[int], Any]

JOB = "nightly-report"
ADDRESS = "ada@example.org"
SUBJECT = "job 7"


class Crowd:
    """Hold the ids of those of whom there is much: one of ten users, tags, and so on."""

    def __init__(self, ada: str, root: str) -> None:
        """Take two users who are there; the others are made."""
        self.users = [ada, root, *(new_id() for _ in range(ROWS - 2))]
        self.tags = [new_id() for _ in range(ROWS)]
        self.blogs = [new_id() for _ in range(ROWS)]

    def fill(self) -> None:
        """Write all rows, a table in a statement or few."""
        with transaction():
            for name, columns in self._tables().items():
                table = Base.metadata.tables[name]
                change(insert(table), rows_of(table, columns, FEWER if name in _FEW else ROWS))
            many = [
                {"blog_id": blog, "tag_id": tag} for number, blog in enumerate(self.blogs) for tag in self._on(number)
            ]
            change(insert(Base.metadata.tables["blog_tag"]), many)

    def _on(self, number: int) -> set[str]:
        """Return the tags of a blog: every third one has the first."""
        return {self.tags[number], self.tags[0 if number % 3 == 0 else number]}

    def _one_of_many(self, number: int) -> str:
        """Return a user: of each ten rows one is the first one's, the others are many people's."""
        return self.users[0 if number % 10 == 0 else number]

    def _tables(self) -> Mapping[str, Mapping[str, Make]]:
        owner: Make = self._one_of_many
        return {
            "user": {"id": lambda number: None if number < 2 else self.users[number]},
            "role": {},
            "role_permission": {"role": lambda number: f"name {number}", "permission": lambda _number: "tag:create"},
            "user_role": {
                "user_id": lambda number: None if number < 2 else self.users[number],
                "role": lambda number: f"name {number}" if number % 5 else Role.USER,
            },
            "tag": {"id": self.tags.__getitem__},
            "blog": {
                "id": self.blogs.__getitem__,
                "owner_id": owner,
                "status": lambda number: "draft" if number // 10 % 10 == 3 else "published",
            },
            "session": {"user_id": lambda number: self.users[number // 20], "expires_at": lambda _number: LATER},
            "api_key": {"user_id": lambda number: self.users[number // 20]},
            "audit": {
                "actor_id": owner,
                "action": lambda number: ("user.update", "blog.delete", "role.create")[number % 3],
                "subject_id": lambda number: f"job {number % 100}",
            },
            "file": {"owner_id": owner, "state": lambda number: "deleted" if number // 10 % 3 == 0 else "ready"},
            "message": {
                "state": lambda number: "failed" if number % 10 == 3 else "sent",
                "recipient": lambda number: ADDRESS if number % 10 == 0 else f"{number}@example.org",
                "parameters": lambda _number: "{}",
            },
            "task": {
                "name": lambda number: ("demo.count_slowly", "message.deliver")[number // 10 % 2],
                "state": lambda number: ("failed", "done", "done")[number // 10 % 3],
                "created_by": owner,
            },
            "scheduler_job": {"next_run_time": lambda number: None if number % 10 == 3 else number},
            "scheduler_run": {
                "job_id": lambda number: JOB if number % 10 == 0 else f"job {number % 100}",
                "status": lambda number: "failed" if number % 10 == 3 else "succeeded",
                "scheduled_at": lambda number: number,
            },
            "scheduler_event": {
                "id": lambda number: number + 1,
                "number": lambda number: number + 1,
                "content": lambda _number: "[]",
            },
            "scheduler_feed": {
                "name": lambda number: None if number else FEED,
                "number": lambda _number: FEWER,
                "totals": lambda _number: "{}",
            },
        }


def rows_of(table: Table, columns: Mapping[str, Make], count: int) -> list[dict[str, Any]]:
    """Return rows that differ in all that is unique; those without an id or key are left out."""
    makers = {
        column.name: columns.get(column.name) or _usual(column)
        for column in table.columns
        if column.server_default is None
    }
    rows = [{name: make(number) for name, make in makers.items()} for number in range(count)]
    keys = [column.name for column in table.primary_key]
    return [row for row in rows if all(row[key] is not None for key in keys)]


def _usual(column: Column[Any]) -> Make:
    """Return what makes values of a column of which nothing is said: null where that is allowed."""
    if column.nullable and not column.unique:
        return lambda _number: None
    if isinstance(column.type, Id):
        return lambda _number: new_id()
    kind = column.type.python_type
    if kind is datetime:
        return lambda number: START + timedelta(seconds=number)
    if kind is str:
        length = getattr(column.type, "length", None)
        return lambda number: f"{column.name} {number}"[:length]
    return kind if kind is bool else lambda number: number
