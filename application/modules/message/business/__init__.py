"""Rules about messages; a folder, because they outgrew a file.

`send_mail` and `send_sms` are for every rule that has something to say (`accepting`); `delivering` is the task;
`handling` is for whoever looks after messages; `retention` keeps their table true and short; `template` lists what
they are written from.
"""

from application.modules.message.business.accepting import (
    InvalidRecipient,
    accept,
    checked_recipient,
    send_mail,
    send_sms,
)
from application.modules.message.business.delivering import MOST_ATTEMPTS, MessageNotFound, deliver
from application.modules.message.business.handling import (
    FILTERS,
    ORDERS,
    AlreadySent,
    MessageRow,
    NotSent,
    SecretsGone,
    StillTried,
    bounce,
    get,
    retry,
    search,
)
from application.modules.message.business.retention import prune, settle
from application.modules.message.business.template import TEMPLATES, UnknownTemplate, WrongParameters

__all__ = [
    "FILTERS",
    "MOST_ATTEMPTS",
    "ORDERS",
    "TEMPLATES",
    "AlreadySent",
    "InvalidRecipient",
    "MessageNotFound",
    "MessageRow",
    "NotSent",
    "SecretsGone",
    "StillTried",
    "UnknownTemplate",
    "WrongParameters",
    "accept",
    "bounce",
    "checked_recipient",
    "deliver",
    "get",
    "prune",
    "retry",
    "search",
    "send_mail",
    "send_sms",
    "settle",
]
