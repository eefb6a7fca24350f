"""Send a code: the task that decides who gets one, makes it, and keeps what it is recognised by.

It is one unit of work: the message is accepted exactly if the code is good for something.
"""

import secrets
from typing import Any

import sqlalchemy as sa

from application.config.current import current_settings
from application.database import change, execute
from application.libs.clock import now
from application.libs.secret import digest_token, new_token
from application.modules.code.business.life import CODE_LIFE, LINK_LIFE, hash_code
from application.modules.code.models import Code, Purpose
from application.modules.contact import business as contacts
from application.modules.contact.models import Kind
from application.modules.message import business as messages

DIGITS = 6

PAGE = "/reset-password"

_LOCK = (
    sa.select(Code.purpose, Code.digest, Code.address, Code.created_at)
    .where(Code.id == sa.bindparam("code_id"), Code.address.is_not(None))
    .with_for_update()
)
_DECIDE = sa.update(Code).where(Code.id == sa.bindparam("code_id")).values(address=None)


def send(code_id: str, language: str) -> str:
    """Send a code, or say to whom the address belongs that somebody else wanted it; return what was sent.

    Where a code makes an address somebody's, it is sent to who has none yet; else to who has the account. An earlier
    code in whose place another was asked for, or one that would come too late, is not sent.
    """
    row = execute(_LOCK, code_id=code_id).one_or_none()
    if row is None or row.created_at + CODE_LIFE <= now():
        return "nothing"
    purpose, holder = Purpose(row.purpose), contacts.find_holder(row.digest)
    makes_contact = purpose in (Purpose.REGISTER, Purpose.VERIFY)
    if makes_contact and holder is None:
        return _send_code(code_id, purpose, contacts.read_address(str(row.address)), None, language)
    if holder is not None and not makes_contact and not holder.is_disabled:
        return _send_code(code_id, purpose, contacts.read_address(holder.address), holder.user_id, language)
    change(_DECIDE, code_id=code_id)
    if holder is None or not makes_contact:
        return "nothing"
    messages.accept(contacts.channel_of(holder.kind), to=holder.address, template="address_taken", language=language)
    return "address_taken"


def _send_code(code_id: str, purpose: Purpose, address: contacts.Address, user_id: str | None, language: str) -> str:
    code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"
    values: dict[str, Any] = {"hash": hash_code(code_id, purpose, address, code)}
    if user_id is not None:
        values["user_id"] = user_id
    template = "code"
    parameters: dict[str, object] = {"code": code, "minutes": int(CODE_LIFE.total_seconds() // 60)}
    if purpose is Purpose.RESET:
        link = ""
        if address.kind is Kind.MAIL and current_settings().public_url:
            token = new_token()
            values["link_digest"] = digest_token(token)
            link = f"{current_settings().public_url}{PAGE}?token={token}"
        template = "password_reset"
        parameters |= {"link": link, "link_minutes": int(LINK_LIFE.total_seconds() // 60)}
    change(_DECIDE, code_id=code_id, **values)
    channel = contacts.channel_of(address.kind)
    messages.accept(channel, to=address.text, template=template, language=language, parameters=parameters)
    return template
