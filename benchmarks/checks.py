"""Look at every answer before it is measured: who answers something else is not measured at all."""

import json
from collections.abc import Mapping
from typing import Any

import requests

from benchmarks import data
from benchmarks.cell import BEARER, FILTERED, JSON, ONE, WORD, blog_body, login_body, own_blogs
from benchmarks.contestant import Contestant

MEMBERS = {"id", "title", "content", "status", "published_at", "owner", "tags", "created_at", "updated_at"}
NAMED = {"id", "name"}
UNKNOWN = data.blog_id(data.BLOGS + 1)
PATIENCE_SECONDS = 30


class WrongAnswer(AssertionError):
    """A contestant does not do the task."""


class Examiner:
    """Ask a contestant's server for everything once, and judge the answers."""

    def __init__(self, contestant: Contestant, url: str) -> None:
        """Ask nothing yet; `url` is where the contestant's paths begin."""
        self._contestant = contestant
        self._url = url

    def examine(self) -> None:
        """Raise `WrongAnswer` for the first answer that is not as it should be."""
        self.check_one()
        self.check_pages()
        self.check_callers()
        self.check_writing()
        self.check_known()

    def check_one(self) -> None:
        """See a blog with its owner and tags, and no blog where there is none."""
        self._same("a blog", self._blog(self._ask("GET", f"/blog/{ONE}")), _expected(4_321))
        self._ask("GET", f"/blog/{UNKNOWN}", status=404)

    def check_pages(self) -> None:
        """See the newest blogs, and those whose title holds a word, in order."""
        page = self._content(self._ask("GET", "/blog?limit=20"))
        newest = range(data.BLOGS - 1, data.BLOGS - 21, -1)
        self._same("the newest page", [self._members(item) for item in page], [_expected(number) for number in newest])
        found = [self._members(item)["title"] for item in self._content(self._ask("GET", FILTERED))]
        titles = (data.title(number) for number in range(data.BLOGS))
        self._same("a filtered page", found, sorted(text for text in titles if WORD in text)[:20])

    def check_callers(self) -> None:
        """See that tokens are looked at, and that logging in gives one that works."""
        self._ask("GET", "/auth/me", status=401)
        self._ask("GET", "/auth/me", headers={"Authorization": "Bearer " + "x" * 43}, status=401)
        self._ask("POST", "/blog", body=blog_body(), status=401)
        self._same("oneself", self._named(self._ask("GET", "/auth/me", headers=BEARER)), data.user_name(0))
        wrong = json.dumps({"name": data.user_name(8), "password": "not the password"})
        self._ask("POST", "/auth/login", body=wrong, status=401)
        token = self._content(self._ask("POST", "/auth/login", body=login_body(7)))["token"]
        me = self._ask("GET", "/auth/me", headers={"Authorization": f"Bearer {token}"})
        self._same("who logged in", self._named(me), data.user_name(7))

    def check_writing(self) -> None:
        """See that what is written is there afterwards, and that bad bodies and foreign blogs are refused."""
        written = self._blog(self._ask("POST", "/blog", body=blog_body("written"), headers=BEARER, status=201))
        tags = ["tag003", "tag071", "tag150"]
        self._same("a new blog", (written["title"], written["tags"]), ("written", tags))
        self._same("a new blog, read", self._blog(self._ask("GET", f"/blog/{written['id']}")), written)
        own = own_blogs()[1]
        replaced = self._blog(self._ask("PUT", f"/blog/{own}", body=blog_body("replaced"), headers=BEARER))
        self._same("a replaced blog", (replaced["title"], replaced["tags"]), ("replaced", tags))
        self._same("a replaced blog, read", self._blog(self._ask("GET", f"/blog/{own}")), replaced)
        self._ask("PUT", f"/blog/{ONE}", body=blog_body(), headers=BEARER, status=403)
        if self._contestant.validates:
            answer = self._ask("POST", "/blog", body='{"content": ""}', headers=BEARER, status=None)
            self._same("a body without a title is refused", 400 <= answer.status_code < 500, True)

    def check_known(self) -> None:
        """See that who knows an answer is told so; an answer without a tag is right where no framework gives one."""
        tag = self.find_tag()
        self._same("has entity tags", tag is not None, self._contestant.has_tags)
        if tag is not None:
            self._ask("GET", "/blog?limit=20", headers={"If-None-Match": tag}, status=304)

    def find_tag(self) -> str | None:
        """Return the entity tag of the newest page, None where it has none."""
        return self._ask("GET", "/blog?limit=20").headers.get("ETag")

    def _ask(
        self,
        method: str,
        path: str,
        *,
        body: str | None = None,
        headers: Mapping[str, str] | None = None,
        status: int | None = 200,
    ) -> requests.Response:
        sent = {**(JSON if body is not None else {}), **(headers or {})}
        answer = requests.request(method, f"{self._url}{path}", data=body, headers=sent, timeout=PATIENCE_SECONDS)
        if status is not None and answer.status_code != status:
            raise WrongAnswer(
                f"{self._contestant.name}: {method} {path} is answered {answer.status_code} instead of {status}: "
                f"{answer.text[:300]}"
            )
        return answer

    def _content(self, answer: requests.Response) -> Any:
        """Return what the answer carries, without the envelope of ours."""
        content = answer.json()
        return content["data"] if self._contestant.is_ours else content

    def _blog(self, answer: requests.Response) -> dict[str, Any]:
        return self._members(self._content(answer))

    def _named(self, answer: requests.Response) -> str:
        content = self._content(answer)
        self._same("members of oneself", content.keys() >= NAMED, True)
        return str(content["name"])

    def _members(self, blog: dict[str, Any]) -> dict[str, Any]:
        """Return what can be foreseen of a blog; each writes times in a form of its own."""
        self._same("members of a blog", set(blog), MEMBERS)
        parts = [blog["owner"], *blog["tags"]]
        self._same("members of owner and tags", {frozenset(part) for part in parts}, {frozenset(NAMED)})
        told = {name: blog[name] for name in ("id", "title", "content", "status")}
        return told | {"owner": blog["owner"]["name"], "tags": [tag["name"] for tag in blog["tags"]]}

    def _same(self, what: str, told: object, expected: object) -> None:
        if told != expected:
            raise WrongAnswer(f"{self._contestant.name}: {what}: {told!r:.500} instead of {expected!r:.500}")


def _expected(number: int) -> dict[str, Any]:
    return {
        "id": data.blog_id(number),
        "title": data.title(number),
        "content": data.content(number),
        "status": "published",
        "owner": data.user_name(data.owner(number)),
        "tags": sorted(f"tag{tag:03d}" for tag in data.tags(number)),
    }
