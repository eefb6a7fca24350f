"""Say what is asked: each cell of the table is one task."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from benchmarks import data

BEARER = {"Authorization": f"Bearer {data.TOKEN}"}
JSON = {"Content-Type": "application/json"}
WORD = data.WORDS[0]
FILTERED = f"/blog?limit=20&title__contains={WORD}&sort=title"
ONE = data.blog_id(4_321)
MANY = 500
"""How many different blogs are read, so that no cache holds the one that is asked for."""

Request = tuple[str, str]
"""A path behind the prefix, and a body."""


@dataclass(frozen=True)
class Cell:
    """Be a task: the requests of its load, one after the other and from the beginning again."""

    key: str
    title: str
    requests: Callable[[], list[Request]]
    method: str = "GET"
    private: bool = False
    conditional: bool = False
    connections: int = 32

    def headers(self, tag: str | None = None) -> dict[str, str]:
        """Return what each request carries."""
        sent = dict(BEARER) if self.private else {}
        if self.method != "GET":
            sent |= JSON
        return sent | ({"If-None-Match": tag} if tag is not None else {})


def blog_body(title: str = "a blog of the benchmark") -> str:
    """Write the body of a blog with three tags."""
    tags = [data.tag_id(number) for number in (3, 71, 150)]
    return json.dumps({"title": title, "content": data.content(7), "tags": tags})


def login_body(number: int) -> str:
    """Write the name and the password of a user."""
    return json.dumps({"name": data.user_name(number), "password": data.PASSWORD})


def own_blogs() -> list[str]:
    """Return the ids of all blogs of the user whose token is shown."""
    return [data.blog_id(number) for number in range(0, data.BLOGS, data.USERS)]


def _spread() -> Iterator[str]:
    return (data.blog_id(number * 7_919 % data.BLOGS) for number in range(MANY))


CELLS = (
    Cell("one", "GET one blog", lambda: [(f"/blog/{ident}", "") for ident in _spread()]),
    Cell("page", "GET a page of 20", lambda: [("/blog?limit=20", "")]),
    Cell("filter", "GET a page, filtered and sorted", lambda: [(FILTERED, "")]),
    Cell("me", "GET oneself by a token", lambda: [("/auth/me", "")], private=True),
    Cell("known", "GET a known page (304)", lambda: [("/blog?limit=20", "")], conditional=True),
    Cell(
        "replace",
        "PUT with 3 tags and a token",
        lambda: [(f"/blog/{ident}", blog_body()) for ident in own_blogs()],
        method="PUT",
        private=True,
    ),
    Cell("create", "POST with 3 tags and a token", lambda: [("/blog", blog_body())], method="POST", private=True),
    Cell(  # few at once: each, also of a load that has ended, takes one of its address' 30 places until it is looked at
        "login",
        "POST a login",
        lambda: [("/auth/login", login_body(number)) for number in range(data.USERS)],
        method="POST",
        connections=12,
    ),
)
