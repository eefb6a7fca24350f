"""Manage the tags that blogs carry."""

from application.libs.page import Page
from application.libs.redprint import Redprint
from application.modules.tag import business
from application.modules.tag.schemas import TagId, TagIn, TagOut, TagPatch, TagQuery
from application.permissions import Permission

tag = Redprint("tag", __name__)


@tag.get("", public=True, answer=TagOut, orders=business.ORDERS, filters=business.FILTERS, rows_only=True)
def index(query: TagQuery) -> Page[business.TagRow]:
    """List tags."""
    return business.search(**query.given())


@tag.post(
    "",
    status=201,
    permission=Permission.TAG_CREATE,
    answer=TagOut,
    errors=[business.NameTaken],
    rate_limit="120/minute",
)
def create(body: TagIn) -> business.TagRow:
    """Create a tag."""
    return business.create(name=body.name)


@tag.get("/<id:tag_id>", public=True, answer=TagOut, errors=[business.TagNotFound])
def show(tag_id: TagId) -> business.TagRow:
    """Read a tag."""
    return business.get(tag_id)


@tag.put(
    "/<id:tag_id>",
    permission=Permission.TAG_MANAGE,
    answer=TagOut,
    errors=[business.TagNotFound, business.NameTaken],
)
def replace(tag_id: TagId, body: TagIn) -> business.TagRow:
    """Replace a tag."""
    return business.update(tag_id, name=body.name)


@tag.patch(
    "/<id:tag_id>",
    permission=Permission.TAG_MANAGE,
    answer=TagOut,
    errors=[business.TagNotFound, business.NameTaken],
)
def update(tag_id: TagId, body: TagPatch) -> business.TagRow:
    """Change a tag."""
    return business.update(tag_id, **body.model_dump(exclude_unset=True))


@tag.delete("/<id:tag_id>", permission=Permission.TAG_MANAGE, errors=[business.TagNotFound, business.TagInUse])
def delete(tag_id: TagId) -> None:
    """Delete a tag that is on no blog."""
    business.delete(tag_id)
