"""What contacts look like on the wire."""

from datetime import datetime
from typing import Annotated

from pydantic import Field, StringConstraints

from application.libs.mail import MAX_ADDRESS
from application.libs.schema import ONE_LINE, Ident, Schema, Trimmed
from application.modules.contact.models import Kind

ContactId = Annotated[str, Field(description="The contact's id.")]

To = Annotated[
    str,
    StringConstraints(min_length=1, max_length=MAX_ADDRESS, pattern=ONE_LINE),
    Trimmed,
    Field(description="A mail address, or a number with its country as +4915112345678."),
]

CodeDigits = Annotated[
    str, StringConstraints(max_length=6, pattern="^[0-9]{6}$"), Field(description="The six digits that were sent.")
]

KindOut = Annotated[str, Field(json_schema_extra={"enum": [kind.value for kind in Kind]})]


class ContactIn(Schema):
    """Show that one reads what is sent to an address, by the code of the purpose `verify`."""

    to: To = Field(examples=["ada@example.org"])
    code: CodeDigits = Field(examples=["204816"])


class ContactOut(Schema):
    """Show a contact."""

    id: Ident
    kind: KindOut = Field(description="mail or phone", examples=["mail"])
    address: str = Field(examples=["ada@example.org"])
    verified_at: datetime
