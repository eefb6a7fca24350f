"""Write, find and read blogs; everybody sees what is published, drafts are their owner's."""

from application.libs.auth import current_identity, viewer_id
from application.libs.page import Page
from application.libs.redprint import Redprint
from application.modules.blog import business
from application.modules.blog.schemas import BlogFilterQuery, BlogId, BlogIn, BlogOut, BlogPatch, BlogQuery
from application.modules.tag import business as tag_business
from application.modules.tag.schemas import TagId
from application.modules.user import business as user_business
from application.modules.user.schemas import UserId
from application.permissions import Permission

blog = Redprint("blog", __name__)
blogs = Redprint("blogs", __name__, url_prefix="", tag="blog")  # lists within other resources, wherever these lie

_WRITE_ERRORS = [business.BlogNotFound, business.NotYourBlog, business.UnknownTag]


@blog.get("", public=True, answer=BlogOut, orders=business.ORDERS, filters=business.FILTERS, rows_only=True)
def index(query: BlogFilterQuery) -> Page[business.BlogRow]:
    """List the published blogs, and one's own drafts."""
    return business.search(viewer_id=viewer_id(Permission.BLOG_WRITE), **query.given())


@blog.post(
    "",
    status=201,
    permission=Permission.BLOG_WRITE,
    answer=BlogOut,
    errors=[business.UnknownTag, business.OwnerGone],
    rate_limit="120/minute",
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
def show(blog_id: BlogId) -> business.BlogRow:
    """Read a blog."""
    return business.get(blog_id, viewer_id=viewer_id(Permission.BLOG_WRITE))


@blog.put("/<id:blog_id>", permission=Permission.BLOG_WRITE, answer=BlogOut, errors=_WRITE_ERRORS)
def replace(blog_id: BlogId, body: BlogIn) -> business.BlogRow:
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
def update(blog_id: BlogId, body: BlogPatch) -> business.BlogRow:
    """Change one's own blog."""
    changes = body.model_dump(exclude_unset=True)
    if "tags" in changes:
        changes["tag_ids"] = changes.pop("tags") or []
    return business.update(blog_id, editor_id=current_identity().user_id, **changes)


@blog.delete("/<id:blog_id>", permission=Permission.BLOG_WRITE, errors=[business.BlogNotFound, business.NotYourBlog])
def delete(blog_id: BlogId) -> None:
    """Delete one's own blog."""
    business.delete(blog_id, editor_id=current_identity().user_id)


@blogs.get(
    "/tag/<id:tag_id>/blogs",
    public=True,
    answer=BlogOut,
    errors=[tag_business.TagNotFound],
    orders=business.ORDERS,
    filters=business.FILTERS,
    rows_only=True,
)
def of_tag(tag_id: TagId, query: BlogQuery) -> Page[business.BlogRow]:
    """List the blogs that carry a tag."""
    page = business.search(viewer_id=viewer_id(Permission.BLOG_WRITE), tag=tag_id, **query.given())
    if not page.items:
        tag_business.get(tag_id)
    return page


@blogs.get(
    "/user/<id:user_id>/blogs",
    public=True,
    answer=BlogOut,
    errors=[user_business.UserNotFound],
    orders=business.ORDERS,
    filters=business.FILTERS,
    rows_only=True,
)
def of_user(user_id: UserId, query: BlogQuery) -> Page[business.BlogRow]:
    """List the published blogs of a user; to themselves also their drafts."""
    page = business.search(viewer_id=viewer_id(Permission.BLOG_WRITE), owner=user_id, **query.given())
    if not page.items:
        user_business.check_exists(user_id)
    return page
