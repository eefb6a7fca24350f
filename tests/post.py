"""Do the tasks that send messages, and read what was sent: in memory, unless a test has put servers in its place."""

import re
from dataclasses import replace
from email.message import EmailMessage
from typing import Any

import sqlalchemy as sa
from flask import Flask

from application.database import change, execute, transaction
from application.libs import outgoing, tagged_json
from application.libs.mail import MemoryMail
from application.libs.outgoing import Outgoing
from application.libs.sms import MemorySms, Sms
from application.libs.task import TASKS
from application.modules.code import business as codes
from application.modules.code.business.life import hash_code
from application.modules.code.models import Code
from application.modules.contact import business as contacts
from application.modules.contact.models import Contact
from application.modules.task.models import Task


def text_of(mail: EmailMessage) -> str:
    """Return what people read in a mail who read no HTML."""
    body = mail.get_body(("plain",))
    assert body is not None
    text: str = body.get_content()
    return text


class Post:
    """Hold what an application has sent."""

    def __init__(self, app: Flask) -> None:
        """Begin with nothing."""
        self.app = app
        self.mail, self.sms = MemoryMail(), MemorySms()
        self._before: Outgoing = app.extensions["outgoing"]
        outgoing.init_app(app, replace(self._before, mail=self.mail, sms=self.sms))

    def end(self) -> None:
        """Give the application what sent before."""
        outgoing.init_app(self.app, self._before)

    def work(self) -> list[str]:
        """Do the tasks that wait, and those that they enqueue; return their names."""
        done: list[str] = []
        while (task := self._next()) is not None:
            self._perform(task)
            done.append(task.name)
        return done

    def mails(self) -> list[EmailMessage]:
        """Send what waits, and return all mails so far."""
        self.work()
        return list(self.mail.sent)

    def short_messages(self) -> list[Sms]:
        """Send what waits, and return all short messages so far."""
        self.work()
        return list(self.sms.sent)

    def code(self) -> str:
        """Send what waits, and return the code of the newest mail, or else of the newest short message."""
        mails = self.mails()
        found = re.search(r"\b[0-9]{6}\b", text_of(mails[-1]) if mails else self.short_messages()[-1].text)
        assert found is not None
        return found[0]

    def link(self) -> str:
        """Send what waits, and return the link in the newest mail."""
        found = re.search(r"https?://\S+", text_of(self.mails()[-1]))
        assert found is not None
        return found[0]

    def ask(self, purpose: str, to: str, headers: dict[str, str] | None = None) -> str:
        """Ask for a code over HTTP, and return the one that was sent."""
        body = {"purpose": purpose, "to": to}
        answer = self.app.test_client().post("/api/v1/code", json=body, headers=headers or {})
        assert answer.status_code == 202, answer.text
        return self.code()

    def _next(self) -> Any:
        with self.app.app_context(), transaction(write=False):
            return execute(
                sa.select(Task.id, Task.name, Task.arguments).where(Task.state == "queued").order_by(Task.id).limit(1)
            ).one_or_none()

    def _perform(self, task: Any) -> None:
        declared, given = TASKS.get(task.name), tagged_json.decode(task.arguments)
        args, kwargs = declared.entry.convert(given["args"], given["kwargs"])
        with self.app.app_context():
            if declared.options.transaction:
                with transaction():
                    declared.entry.function(*args, **kwargs)
            else:
                declared.entry.function(*args, **kwargs)
            with transaction():
                change(sa.update(Task).where(Task.id == task.id).values(state="done"))


def give_contact(app: Flask, user_id: str, to: str) -> str:
    """Give a user a contact as if they had shown a code; return its id."""
    with app.app_context(), transaction():
        return contacts.add(user_id, contacts.read_address(to)).id


def contact_rows(app: Flask) -> list[tuple[str, str]]:
    """Return whose each address is."""
    with app.app_context(), transaction(write=False):
        return [
            (user_id, address)
            for user_id, address in execute(sa.select(Contact.user_id, Contact.address).order_by(Contact.address))
        ]


def put_code(app: Flask, purpose: codes.Purpose, to: str, code: str, *, asked_by: str | None = None) -> None:
    """Let this be the code that was sent to an address, whatever is sent really."""
    with app.app_context(), transaction():
        codes.ask(purpose, to, asked_by=asked_by, language="en", remote=None)
        set_code(purpose, to, code)


def set_code(purpose: codes.Purpose, to: str, code: str) -> None:
    """Replace a code that was asked for by a known one, in the current unit of work."""
    address = contacts.read_address(to)
    holder = contacts.find_holder(address.digest)
    row = execute(sa.select(Code.id).where(Code.purpose == purpose, Code.digest == address.digest)).one()
    values: dict[str, Any] = {"address": None, "hash": hash_code(row.id, purpose, address, code)}
    if holder is not None:
        values["user_id"] = holder.user_id
    change(sa.update(Code).where(Code.id == row.id).values(**values))
