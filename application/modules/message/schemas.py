"""What messages look like on the wire; what is secret in them never is."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from application.libs.delivery import REPLY_LENGTH
from application.libs.filter import After, AtOrAfter, AtOrBefore, Before, Contains, Equals, FilterText, StartsWith
from application.libs.mail import MAX_ADDRESS
from application.libs.schema import ONE_LINE, Ident, PageQuery, Schema, Trimmed
from application.modules.message.models import Channel, State

MessageId = Annotated[str, Field(description="The message's id.")]
Recipient = Annotated[str, StringConstraints(min_length=1, max_length=MAX_ADDRESS, pattern=ONE_LINE), Trimmed]
Reason = Annotated[str, StringConstraints(min_length=1, max_length=REPLY_LENGTH, pattern=ONE_LINE), Trimmed]
Language = Annotated[
    str, StringConstraints(min_length=2, max_length=20, pattern="^[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*$")
]
ChannelOut = Annotated[str, Field(json_schema_extra={"enum": [channel.value for channel in Channel]})]
StateOut = Annotated[str, Field(json_schema_extra={"enum": [state.value for state in State]})]


class MessageTestIn(Schema):
    """Describe a message that shows whether messages are sent."""

    channel: Channel = Field(examples=[Channel.MAIL])
    to: Recipient = Field(
        description="An address, or a number with its country as +4915112345678.", examples=["ada@example.org"]
    )
    language: Language = Field("en", examples=["zh"])


class BounceIn(Schema):
    """Say why a message came back."""

    reason: Reason = Field(examples=["550 5.1.1 mailbox unknown"])


class MessageOut(Schema):
    """Show a message and what became of it."""

    id: Ident
    channel: ChannelOut = Field(examples=["mail"], description="mail or sms")
    recipient: str = Field(examples=["ada@example.org"])
    template: str = Field(examples=["test"])
    language: str = Field(examples=["en"])
    subject: str | None = Field(
        description="Of mail; what is secret in it is masked. Of a short message null.", examples=["A test message"]
    )
    parameters: dict[str, Any] = Field(
        description="What the template was filled with, without what is secret.", examples=[{}]
    )
    state: StateOut = Field(examples=["sent"], description="queued, sent, failed or bounced")
    task_id: Ident | None = Field(description="The task that delivers it; null where a command did so itself.")
    attempts: int = Field(examples=[1])
    reply: str | None = Field(
        description="What the server said when it took the message, or why it was not taken.",
        examples=["250 2.0.0 OK: queued as 4XyZ12"],
    )
    created_at: datetime
    sent_at: datetime | None = Field(description="When a server took it.")
    failed_at: datetime | None = Field(description="When it was given up, or came back.")


class MessageQuery(PageQuery):
    """Choose messages."""

    sort: str = Field(
        "-created_at",
        max_length=50,
        description="A minus in front reverses the order.",
        examples=["-created_at", "created_at"],
    )
    channel: Channel | None = Field(None, description="Only messages by this channel.")
    state: State | None = Field(None, description="Only messages of this state.")
    template: Equals[FilterText] = None
    recipient: Equals[FilterText] = None
    recipient__contains: Contains = None
    recipient__startswith: StartsWith = None
    created_at__gt: After = None
    created_at__gte: AtOrAfter = None
    created_at__lt: Before = None
    created_at__lte: AtOrBefore = None
