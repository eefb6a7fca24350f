"""Blogs over HTTP as version 2 speaks of them; rules, access and addresses are version 1's."""

from application.libs.auth import current_identity
from application.libs.redprint import Redprint
from application.modules.blog import business
from application.modules.blog import endpoints as v1
from application.modules.blog.schemas import BlogId
from application.modules.blog.schemas_v2 import BlogIn, BlogOut, BlogPatch

blog = Redprint("blog", __name__, predecessor=v1.blog)
blog.take_over(v1.index, v1.show, answer=BlogOut)
blog.take_over(v1.delete)

blogs = Redprint("blogs", __name__, predecessor=v1.blogs)
blogs.take_over(v1.of_tag, v1.of_user, answer=BlogOut)


@blog.instead_of(v1.create, answer=BlogOut)
def create(body: BlogIn) -> business.BlogRow:
    """Write a blog."""
    return business.create(
        owner_id=current_identity().user_id,
        title=body.title,
        content=body.body.text,
        status=body.status,
        tag_ids=body.tags,
    )


@blog.instead_of(v1.replace, answer=BlogOut)
def replace(blog_id: BlogId, body: BlogIn) -> business.BlogRow:
    """Replace one's own blog and its tags.

    What is left out takes its default: a draft stays one only if `status` says so.
    """
    return business.update(
        blog_id,
        editor_id=current_identity().user_id,
        title=body.title,
        content=body.body.text,
        status=body.status,
        tag_ids=body.tags,
    )


@blog.instead_of(v1.update, answer=BlogOut)
def update(blog_id: BlogId, body: BlogPatch) -> business.BlogRow:
    """Change one's own blog; what `body` leaves out stays as it is."""
    changes = body.model_dump(exclude_unset=True)
    if "tags" in changes:
        changes["tag_ids"] = changes.pop("tags") or []
    if "text" in changes.pop("body", {}):
        changes["content"] = body.body.text
    return business.update(blog_id, editor_id=current_identity().user_id, **changes)
