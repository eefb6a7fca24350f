"""What tags look like on the wire."""

from pydantic import Field

from application.libs.schema import Name, PageQuery, Schema, absent


class TagIn(Schema):
    """Describe a new tag, or the whole of one."""

    name: Name = Field(examples=["python"])


class TagPatch(Schema):
    """Change what is given."""

    name: Name = absent()


class TagOut(Schema):
    """Show a tag."""

    id: str = Field(examples=["01981f3e-7c5a-7b1e-9c55-0d7f5b1f2a10"])
    name: str = Field(examples=["python"])


class TagQuery(PageQuery):
    """Choose tags."""

    sort: str = Field("name", max_length=50, description="One of name, id; a minus in front reverses it.")
    q: str | None = Field(None, max_length=50, description="Only tags whose name contains this.")
