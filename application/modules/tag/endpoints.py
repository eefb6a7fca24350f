"""Tags over HTTP."""

from application.libs.auth import viewer_id
from application.libs.page import Page
from application.libs.redprint import Redprint
from application.modules.blog import business as blog_business
from application.modules.blog.schemas import BlogOut, BlogQuery
from application.modules.tag import business
from application.modules.tag.schemas import TagIn, TagOut, TagPatch, TagQuery
from application.permissions import Permission

tag = Redprint("tag", __name__)


@tag.get("", public=True, answer=TagOut)
def index(query: TagQuery) -> Page[business.TagRow]:
    """List tags."""
    return business.search(limit=query.limit, after=query.after, sort=query.sort, q=query.q, counted=query.count)


@tag.post("", status=201, permission=Permission.TAG_CREATE, answer=TagOut, errors=[business.NameTaken])
def create(body: TagIn) -> business.TagRow:
    """Create a tag."""
    return business.create(name=body.name)


@tag.get("/<id:tag_id>", public=True, answer=TagOut, errors=[business.TagNotFound])
def show(tag_id: str) -> business.TagRow:
    """Read a tag."""
    return business.get(tag_id)


@tag.put(
    "/<id:tag_id>",
    permission=Permission.TAG_MANAGE,
    answer=TagOut,
    errors=[business.TagNotFound, business.NameTaken],
)
def replace(tag_id: str, body: TagIn) -> business.TagRow:
    """Replace a tag."""
    return business.update(tag_id, name=body.name)


@tag.patch(
    "/<id:tag_id>",
    permission=Permission.TAG_MANAGE,
    answer=TagOut,
    errors=[business.TagNotFound, business.NameTaken],
)
def update(tag_id: str, body: TagPatch) -> business.TagRow:
    """Change a tag."""
    return business.update(tag_id, **body.model_dump(exclude_unset=True))


@tag.delete("/<id:tag_id>", permission=Permission.TAG_MANAGE, errors=[business.TagNotFound, business.TagInUse])
def delete(tag_id: str) -> None:
    """Delete a tag that is on no blog."""
    business.delete(tag_id)


@tag.get("/<id:tag_id>/blogs", public=True, answer=BlogOut, errors=[business.TagNotFound])
def blogs(tag_id: str, query: BlogQuery) -> Page[blog_business.BlogRow]:
    """List the blogs that carry a tag."""
    page = blog_business.search(viewer_id=viewer_id(), tag_id=tag_id, **query.model_dump())
    if not page.items:
        business.get(tag_id)
    return page
