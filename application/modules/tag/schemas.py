"""What tags look like on the wire."""

from typing import Annotated

from pydantic import Field

from application.libs.filter import Contains, Equals, FilterText, StartsWith
from application.libs.schema import Ident, Name, PageQuery, Schema, absent

TagId = Annotated[str, Field(description="The tag's id.")]


class TagIn(Schema):
    """Describe a new tag, or the whole of one."""

    name: Name = Field(examples=["python"])


class TagPatch(Schema):
    """Change what is given."""

    name: Name = absent(examples=["flask"])


class TagOut(Schema):
    """Show a tag."""

    id: Ident
    name: str = Field(examples=["python"])


class TagQuery(PageQuery):
    """Choose tags."""

    sort: str = Field(
        "name", max_length=50, description="A minus in front reverses the order.", examples=["name", "-id"]
    )
    q: str | None = Field(None, max_length=50, description="Only tags whose name contains this.", examples=["py"])
    name: Equals[FilterText] = None
    name__contains: Contains = None
    name__startswith: StartsWith = None
