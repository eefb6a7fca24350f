"""Accept messages: the row and the task that delivers it are written in the unit of work that is open.

Accepted means it will be tried: a unit that is rolled back sends nothing, one that commits loses nothing.
"""

import re
from collections.abc import Mapping
from typing import Any

import msgspec
import sqlalchemy as sa

from application.database import change
from application.libs.clock import now
from application.libs.error import Invalid, field_error
from application.libs.ident import new_id
from application.libs.mail import mail_address
from application.libs.sms import NUMBER
from application.modules.message.business import template as templates
from application.modules.message.business.delivering import deliver
from application.modules.message.models import Channel, Message, State
from application.modules.task.business import enqueue

NOTHING: Mapping[str, Any] = {}

_INSERT = sa.insert(Message)
_BETWEEN_DIGITS = re.compile(r"[\s().\u2010-\u2015-]")


class InvalidRecipient(Invalid):
    """Nothing can be sent to this recipient."""


def send_mail(*, to: str, template: str, language: str, **parameters: Any) -> str:
    """Accept a mail and return the message's id; `language` may be any, and falls back on one there is.

    Raises `InvalidRecipient`, and `UnknownTemplate` or `WrongParameters` where the call is wrong.
    """
    return accept(Channel.MAIL, to=to, template=template, language=language, parameters=parameters)


def send_sms(*, to: str, template: str, language: str, **parameters: Any) -> str:
    """Accept a short message to a number with its country, as +4915112345678; see `send_mail`."""
    return accept(Channel.SMS, to=to, template=template, language=language, parameters=parameters)


def accept(
    channel: Channel,
    *,
    to: str,
    template: str,
    language: str,
    parameters: Mapping[str, Any] = NOTHING,
    is_task: bool = True,
) -> str:
    """Write a message down, and unless whoever calls will deliver it, enqueue the task that does."""
    recipient = checked_recipient(channel, to)
    found = templates.find(template, channel)
    values = templates.checked(found, parameters)
    spoken = templates.WRITER.language(language)
    templates.write(found, channel, spoken, values)  # what cannot be written is refused here, not by the task
    secrets = {name: value for name, value in values.items() if name in found.secret}
    message_id = new_id()
    change(
        _INSERT,
        id=message_id,
        channel=channel,
        recipient=recipient,
        template=found.name,
        language=spoken,
        subject=templates.masked_subject(found, spoken, values) if channel is Channel.MAIL else None,
        parameters=_json({name: value for name, value in values.items() if name not in secrets}),
        secrets=_json(secrets) if secrets else None,
        state=State.QUEUED,
        task_id=enqueue(deliver, message_id=message_id) if is_task else None,
        attempts=0,
        created_at=now(),
    )
    return message_id


def checked_recipient(channel: Channel, to: str) -> str:
    """Return an address or number in its normal form; raise `InvalidRecipient`."""
    try:
        return mail_address(to) if channel is Channel.MAIL else _number(to)
    except ValueError as error:
        raise InvalidRecipient(errors=[field_error("body", "to", msg=str(error), type_="recipient")]) from None


def _number(text: str) -> str:
    number = _BETWEEN_DIGITS.sub("", text)
    if not NUMBER.fullmatch(number):
        raise ValueError("Give a number with its country, a plus and 7 to 15 digits, as +4915112345678")
    return number


def _json(values: dict[str, Any]) -> str:
    return msgspec.json.encode(values).decode()
