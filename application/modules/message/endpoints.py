"""Look after mail and short messages: what became of them, why one was not sent, and trying it again."""

from application.libs.page import Page
from application.libs.redprint import Redprint
from application.modules.message import business
from application.modules.message.schemas import BounceIn, MessageId, MessageOut, MessageQuery, MessageTestIn
from application.permissions import Permission

message = Redprint("message", __name__)


@message.get(
    "",
    permission=Permission.MESSAGE_MANAGE,
    answer=MessageOut,
    orders=business.ORDERS,
    filters=business.FILTERS,
)
def index(query: MessageQuery) -> Page[business.MessageRow]:
    """List messages."""
    return business.search(**query.given())


@message.post(
    "/test",
    status=201,
    permission=Permission.MESSAGE_MANAGE,
    answer=MessageOut,
    errors=[business.InvalidRecipient],
    rate_limit="10/minute",
)
def test(body: MessageTestIn) -> business.MessageRow:
    """Send a test message, to try the settings out.

    It is sent in the background: look at it again to see what became of it.
    """
    return business.get(business.accept(body.channel, to=body.to, template="test", language=body.language))


@message.get(
    "/<id:message_id>",
    permission=Permission.MESSAGE_MANAGE,
    answer=MessageOut,
    errors=[business.MessageNotFound],
)
def show(message_id: MessageId) -> business.MessageRow:
    """Read what became of a message."""
    return business.get(message_id)


@message.post(
    "/<id:message_id>/retry",
    permission=Permission.MESSAGE_MANAGE,
    answer=MessageOut,
    errors=[business.MessageNotFound, business.AlreadySent, business.StillTried, business.SecretsGone],
    rate_limit="120/minute",
)
def retry(message_id: MessageId) -> business.MessageRow:
    """Try a message again that was given up or came back."""
    return business.retry(message_id)


@message.post(
    "/<id:message_id>/bounce",
    permission=Permission.MESSAGE_MANAGE,
    answer=MessageOut,
    errors=[business.MessageNotFound, business.NotSent],
)
def bounce(message_id: MessageId, body: BounceIn) -> business.MessageRow:
    """Note that a message came back after a server had taken it.

    For people and for programs that read what comes back: the Message-ID of a mail begins with the message's id.
    """
    return business.bounce(message_id, reason=body.reason)
