"""Blogs and tags behave like two dictionaries, whatever is done to them in whatever order: on every database."""

import os
import re
from typing import Any, ClassVar

from flask import Flask
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from werkzeug.test import TestResponse

from application.cli import database
from application.libs.ident import new_id
from application.permissions import Role
from tests.conftest import Caller

BLOGS, TAGS = "/api/v1/blog", "/api/v1/tag"
UNKNOWN = "01981f3e-7c5a-7b1e-9c55-0d7f5b1f2a10"

BUDGET = settings(
    max_examples=int(os.environ.get("EXAMPLES", "10")),
    stateful_step_count=25,
    phases=[Phase.generate],  # to shrink what fails takes minutes; its steps are printed anyway
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)

ONE_LINE = st.characters(
    codec="utf-8", exclude_categories=["Cc"], exclude_characters="\u2028\u2029\u202a\u202b\u202c\u202d\u202e"
    "\u2066\u2067\u2068\u2069",
)  # fmt: skip
ODD = st.sampled_from(
    [
        "é",
        "e\N{COMBINING ACUTE ACCENT}",
        "E",
        "e",
        "ß",
        "ss",
        "İ",
        "א ב",
        "العربية",
        "标签",
        "\N{GRINNING FACE}" * 12,
        "\N{MAN}\u200d\N{WOMAN}\u200d\N{GIRL}",
        "\N{ZERO WIDTH SPACE}",
        "a%b_c\\d",
        "'; --",
        "\u0378",
        "\U0010ffff",
        "e ",
        "\u00a0e",
    ]
)
NAMES = st.one_of(ODD, st.text(ONE_LINE, min_size=1, max_size=50).filter(lambda text: text.strip() != ""))
TITLES = st.one_of(ODD, st.text(ONE_LINE, min_size=1, max_size=200).filter(lambda text: text.strip() != ""))
CONTENTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=300)
STATUSES = st.sampled_from(["draft", "published"])


class Model(RuleBasedStateMachine):
    """Do the same to the API and to two dictionaries, and compare."""

    blogs = Bundle("blogs")
    tags = Bundle("tags")

    app: ClassVar[Flask]

    def __init__(self) -> None:
        """Begin with empty tables and one admin, who writes everything."""
        super().__init__()
        with self.app.app_context():
            database.clear_database()
        self.caller = Caller(self.app, "admin", Role.USER, Role.ADMIN)
        self.known_blogs: dict[str, dict[str, Any]] = {}
        self.known_tags: dict[str, str] = {}

    def ask(self, method: str, path: str, status: int, **options: Any) -> TestResponse:
        """Send a request and check what it is answered with."""
        response = self.caller.client.open(path, method=method, **options)
        assert response.status_code == status, f"{method} {path} {options}: {response.status_code} {response.text}"
        return response

    def name_is_taken(self, name: str, *, but: str = "") -> bool:
        """Tell whether another tag has the name."""
        return any(known == name.strip() and key != but for key, known in self.known_tags.items())

    @rule(target=tags, name=NAMES)
    def create_tag(self, name: str) -> Any:
        """Create a tag, unless there is one of this name."""
        if self.name_is_taken(name):
            self.ask("POST", TAGS, 409, json={"name": name})
            return multiple()
        made = self.ask("POST", TAGS, 201, json={"name": name}).get_json()["data"]
        self.known_tags[made["id"]] = name.strip()
        return made["id"]

    @rule(key=tags, name=NAMES, method=st.sampled_from(["PUT", "PATCH"]))
    def rename_tag(self, key: str, name: str, method: str) -> None:
        """Rename a tag, unless another one has the name."""
        taken = self.name_is_taken(name, but=key)
        self.ask(method, f"{TAGS}/{key}", 409 if taken else 200, json={"name": name})
        if not taken:
            self.known_tags[key] = name.strip()

    @rule(target=tags, key=consumes(tags))
    def delete_tag(self, key: str) -> Any:
        """Delete a tag, unless it is on a blog."""
        if any(key in blog["tags"] for blog in self.known_blogs.values()):
            self.ask("DELETE", f"{TAGS}/{key}", 409)
            return key
        self.ask("DELETE", f"{TAGS}/{key}", 204)
        del self.known_tags[key]
        self.ask("GET", f"{TAGS}/{key}", 404)
        self.ask("DELETE", f"{TAGS}/{key}", 404)
        return multiple()

    @rule(target=blogs, title=TITLES, content=CONTENTS, status=STATUSES, keys=st.lists(tags, max_size=3))
    def create_blog(self, title: str, content: str, status: str, keys: list[str]) -> str:
        """Write a blog."""
        body = {"title": title, "content": content, "status": status, "tags": keys}
        made = self.ask("POST", BLOGS, 201, json=body)
        key = str(made.get_json()["data"]["id"])
        self.known_blogs[key] = body | {"title": title.strip(), "tags": set(keys)}
        assert self.ask("GET", f"{BLOGS}/{key}", 200).data == made.data
        return key

    @rule(target=blogs, title=TITLES)
    def create_blog_twice(self, title: str) -> str:
        """Send the same request again under its key: one effect, one answer."""
        body, headers = {"title": title, "content": ""}, {"Idempotency-Key": new_id()}
        first = self.ask("POST", BLOGS, 201, json=body, headers=headers)
        again = self.ask("POST", BLOGS, 201, json=body, headers=headers)
        assert again.data == first.data
        key = str(first.get_json()["data"]["id"])
        self.known_blogs[key] = body | {"title": title.strip(), "status": "published", "tags": set()}
        return key

    @rule(key=blogs, title=TITLES, content=CONTENTS, keys=st.lists(tags, max_size=3))
    def replace_blog(self, key: str, title: str, content: str, keys: list[str]) -> None:
        """Replace a blog; what is left out takes its default."""
        self.ask("PUT", f"{BLOGS}/{key}", 200, json={"title": title, "content": content, "tags": keys})
        self.known_blogs[key] = {
            "title": title.strip(), "content": content, "status": "published", "tags": set(keys)
        }  # fmt: skip

    @rule(
        key=blogs,
        changes=st.fixed_dictionaries({}, optional={"title": TITLES, "content": CONTENTS, "status": STATUSES}),
    )
    def change_blog(self, key: str, changes: dict[str, str]) -> None:
        """Change a part of a blog, and only that, knowing its state."""
        tag = self.ask("GET", f"{BLOGS}/{key}", 200).headers["ETag"]
        self.ask("PATCH", f"{BLOGS}/{key}", 412, json=changes, headers={"If-Match": '"another"'})
        changed = self.ask("PATCH", f"{BLOGS}/{key}", 200, json=changes, headers={"If-Match": tag})
        self.known_blogs[key] |= changes
        self.known_blogs[key]["title"] = self.known_blogs[key]["title"].strip()
        self.ask("GET", f"{BLOGS}/{key}", 304, headers={"If-None-Match": changed.headers["ETag"]})

    @rule(key=blogs, keys=st.lists(tags, max_size=3))
    def tag_blog(self, key: str, keys: list[str]) -> None:
        """Replace a blog's tags; an unknown one changes nothing."""
        self.ask("PATCH", f"{BLOGS}/{key}", 422, json={"title": "not kept", "tags": [*keys, UNKNOWN]})
        self.ask("PATCH", f"{BLOGS}/{key}", 200, json={"tags": keys})
        self.known_blogs[key]["tags"] = set(keys)

    @rule(key=consumes(blogs))
    def delete_blog(self, key: str) -> None:
        """Delete a blog."""
        self.ask("DELETE", f"{BLOGS}/{key}", 204)
        del self.known_blogs[key]
        for method in ("GET", "DELETE"):
            self.ask(method, f"{BLOGS}/{key}", 404)

    @rule(limit=st.integers(1, 4), status=st.none() | STATUSES, tag=st.none() | tags, descending=st.booleans())
    def list_blogs(self, limit: int, status: str | None, tag: str | None, descending: bool) -> None:
        """Walk through the pages of a list: every blog that fits, once, in order."""
        wanted = [
            key
            for key, blog in self.known_blogs.items()
            if status in (None, blog["status"]) and (tag is None or tag in blog["tags"])
        ]
        query = {"limit": limit, "sort": f"{'-' if descending else ''}created_at", "count": "true"}
        query |= {name: value for name, value in (("status", status), ("tag", tag)) if value is not None}
        assert self.walk(BLOGS, query, total=len(wanted)) == (wanted[::-1] if descending else wanted)

    @rule(limit=st.integers(1, 4))
    def list_tags(self, limit: int) -> None:
        """Walk through the pages of all tags; their ids sort as they were created."""
        assert self.walk(TAGS, {"limit": limit, "sort": "id", "count": "true"}, len(self.known_tags)) == list(
            self.known_tags
        )
        assert set(self.walk(TAGS, {"limit": limit}, None)) == set(self.known_tags)

    def walk(self, path: str, query: dict[str, Any], total: int | None) -> list[str]:
        """Return the ids of all pages, following the links."""
        response = self.ask("GET", path, 200, query_string=query)
        found: list[str] = []
        while True:
            page = response.get_json()
            assert page["page"].get("total") == total
            found += [item["id"] for item in page["data"]]
            following = re.search('<([^<>]*)>; rel="next"', response.headers.get("Link", ""))
            if following is None:
                assert page["page"]["next"] is None
                return found
            assert len(page["data"]) == query["limit"]
            response = self.ask("GET", following[1], 200)

    @invariant()
    def everything_reads_as_it_was_written(self) -> None:
        """Compare what the API says with what is known."""
        for key, blog in self.known_blogs.items():
            shown = self.ask("GET", f"{BLOGS}/{key.upper()}", 200).get_json()["data"]
            assert {name: shown[name] for name in ("title", "content", "status")} == {
                name: blog[name] for name in ("title", "content", "status")
            }
            assert {tag["id"]: tag["name"] for tag in shown["tags"]} == {
                tag: self.known_tags[tag] for tag in blog["tags"]
            }
        for key, name in self.known_tags.items():
            assert self.ask("GET", f"{TAGS}/{key}", 200).get_json()["data"] == {"id": key, "name": name}


class TestApi:
    def test_behaves_like_its_model(self, app: Flask) -> None:
        class Here(Model):
            pass

        Here.app = app
        run_state_machine_as_test(Here, settings=BUDGET)
