"""Use the client of version 2, whose blogs have a body."""

import os
from typing import TypeVar, cast

from redprint_client import AuthenticatedClient, Client, models
from redprint_client.api.auth import auth_login
from redprint_client.api.blog import blog_create, blog_delete, blog_show, blog_update
from redprint_client.api.tag import tag_create, tag_delete
from redprint_client.models import BlogIn, BlogPatch, BodyIn, BodyPatch, LoginIn, Problem, TagIn

BASE = os.environ["BASE"]

T = TypeVar("T")


def good(answer: object, kind: type[T]) -> T:
    """Return what an operation answered, which is of this kind and no refusal."""
    assert isinstance(answer, kind), answer
    return answer


stranger = cast(AuthenticatedClient, Client(base_url=BASE))
credentials = LoginIn(name="admin", password=os.environ["PASSWORD"])
session = good(auth_login.sync(client=stranger, body=credentials), models.AuthLoginResponse200).data
client = AuthenticatedClient(base_url=BASE, token=session.token)

tag = good(tag_create.sync(client=client, body=TagIn(name="python client of 2")), models.TagCreateResponse201).data
draft = BlogIn(title="Hello", body=BodyIn(text="First."), tags=[tag.id])
blog = good(blog_create.sync(client=client, body=draft), models.BlogCreateResponse201).data
changes = BlogPatch(body=BodyPatch(text="Second."))
good(blog_update.sync(blog.id, client=client, body=changes), models.BlogUpdateResponse200)
shown = good(blog_show.sync(blog.id, client=stranger), models.BlogShowResponse200)
assert shown.data.title == "Hello"
assert shown.data.body.text == "Second."
blog_delete.sync_detailed(blog.id, client=client)
tag_delete.sync_detailed(tag.id, client=client)
assert isinstance(blog_show.sync(blog.id, client=client), Problem)
