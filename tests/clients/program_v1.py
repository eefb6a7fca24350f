"""Use the generated client as a user of the API would: sign in, write, page, read, change, meet refusals, delete."""

import os
from http import HTTPStatus
from typing import TypeVar, cast
from uuid import uuid4

from redprint_client import AuthenticatedClient, Client, models
from redprint_client.api.auth import auth_login
from redprint_client.api.blog import blog_create, blog_delete, blog_index, blog_show, blog_update
from redprint_client.api.tag import tag_create, tag_delete
from redprint_client.models import BlogIn, BlogOut, BlogPatch, LoginIn, Problem, Status, TagIn
from redprint_client.types import UNSET, Unset

BASE = os.environ["BASE"]

T = TypeVar("T")


def good(answer: object, kind: type[T]) -> T:
    """Return what an operation answered, which is of this kind and no refusal."""
    assert isinstance(answer, kind), answer
    return answer


def refusal(answer: object) -> Problem:
    """Return the refusal an operation answered with."""
    assert isinstance(answer, Problem), answer
    return answer


# The generator asks for a token also where the document says that one may do without.
stranger = cast(AuthenticatedClient, Client(base_url=BASE))
credentials = LoginIn(name="admin", password=os.environ["PASSWORD"])
session = good(auth_login.sync(client=stranger, body=credentials), models.AuthLoginResponse200).data
client = AuthenticatedClient(base_url=BASE, token=session.token)

tag = good(tag_create.sync(client=client, body=TagIn(name="python client")), models.TagCreateResponse201).data
drafts = [BlogIn(title=f"Blog {number}", content="…", status=Status.PUBLISHED, tags=[tag.id]) for number in range(3)]
written = [good(blog_create.sync(client=client, body=draft), models.BlogCreateResponse201).data for draft in drafts]

read: list[BlogOut] = []
cursor: str | Unset | None = UNSET
while cursor is not None:
    answer = blog_index.sync(client=client, tag_in=[tag.id], sort=models.BlogIndexSort.TITLE, limit=2, after=cursor)
    page = good(answer, models.BlogIndexResponse200)
    read += page.data
    cursor = page.page.next_
assert [blog.id for blog in read] == [blog.id for blog in written]
last = blog_index.sync(client=client, tag=tag.id, sort=models.BlogIndexSort.TITLE_DESCENDING, limit=1)
assert good(last, models.BlogIndexResponse200).data == [read[-1]]

first = written[0].id
shown = good(blog_show.sync(first, client=stranger), models.BlogShowResponse200)
assert shown.data.title == "Blog 0"
assert [(label.id, label.name) for label in shown.data.tags] == [(tag.id, "python client")]
answered = blog_update.sync(first, client=client, body=BlogPatch(title="Changed"))
changed = good(answered, models.BlogUpdateResponse200)
assert (changed.data.title, changed.data.content) == ("Changed", "…")

invalid = blog_create.sync_detailed(client=client, body=BlogIn(title="", content="…"))
assert invalid.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
problem = refusal(invalid.parsed)
assert (problem.code, problem.errors[0].loc) == ("invalid", ["body", "title"])
missing = blog_show.sync_detailed(uuid4(), client=client)
assert (missing.status_code, refusal(missing.parsed).code) == (HTTPStatus.NOT_FOUND, "blog_not_found")
in_use = refusal(tag_delete.sync(tag.id, client=client))
assert in_use.code == "tag_in_use"

for blog in written:
    assert blog_delete.sync_detailed(blog.id, client=client).status_code == HTTPStatus.NO_CONTENT
assert tag_delete.sync_detailed(tag.id, client=client).status_code == HTTPStatus.NO_CONTENT
assert refusal(blog_show.sync(first, client=client)).status == HTTPStatus.NOT_FOUND
