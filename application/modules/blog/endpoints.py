"""Blogs over HTTP."""

from application.libs.auth import current_identity, viewer_id
from application.libs.page import Page
from application.libs.redprint import Redprint
from application.modules.blog import business
from application.modules.blog.schemas import BlogFilterQuery, BlogIn, BlogOut, BlogPatch
from application.permissions import Permission

blog = Redprint("blog", __name__)

_WRITE_ERRORS = [business.BlogNotFound, business.NotYourBlog, business.UnknownTag]


@blog.get("", public=True, answer=BlogOut)
def index(query: BlogFilterQuery) -> Page[business.BlogRow]:
    """List the published blogs, and one's own drafts."""
    return business.search(
        viewer_id=viewer_id(),
        tag_id=query.tag,
        owner_id=query.owner,
        **query.model_dump(exclude={"tag", "owner"}),
    )


@blog.post(
    "",
    status=201,
    permission=Permission.BLOG_WRITE,
    answer=BlogOut,
    errors=[business.UnknownTag, business.OwnerGone],
)
def create(body: BlogIn) -> business.BlogRow:
    """Write a blog."""
    return business.create(
        owner_id=current_identity().user_id,
        title=body.title,
        content=body.content,
        status=body.status,
        tag_ids=body.tags,
    )


@blog.get("/<id:blog_id>", public=True, answer=BlogOut, errors=[business.BlogNotFound])
def show(blog_id: str) -> business.BlogRow:
    """Read a blog."""
    return business.get(blog_id, viewer_id=viewer_id())


@blog.put("/<id:blog_id>", permission=Permission.BLOG_WRITE, answer=BlogOut, errors=_WRITE_ERRORS)
def replace(blog_id: str, body: BlogIn) -> business.BlogRow:
    """Replace one's own blog and its tags.

    What is left out takes its default: a draft stays one only if `status` says so.
    """
    return business.update(
        blog_id,
        editor_id=current_identity().user_id,
        title=body.title,
        content=body.content,
        status=body.status,
        tag_ids=body.tags,
    )


@blog.patch("/<id:blog_id>", permission=Permission.BLOG_WRITE, answer=BlogOut, errors=_WRITE_ERRORS)
def update(blog_id: str, body: BlogPatch) -> business.BlogRow:
    """Change one's own blog."""
    changes = body.model_dump(exclude_unset=True)
    if "tags" in changes:
        changes["tag_ids"] = changes.pop("tags")
    return business.update(blog_id, editor_id=current_identity().user_id, **changes)


@blog.delete("/<id:blog_id>", permission=Permission.BLOG_WRITE, errors=[business.BlogNotFound, business.NotYourBlog])
def delete(blog_id: str) -> None:
    """Delete one's own blog."""
    business.delete(blog_id, editor_id=current_identity().user_id)
