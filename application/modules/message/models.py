"""The table of messages: what was accepted, and what became of it."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Index, String, Text
from sqlalchemy.dialects import mysql
from sqlalchemy.orm import Mapped, mapped_column

from application.database import TABLE_OPTIONS, Base, Id, UtcDateTime
from application.libs.delivery import REPLY_LENGTH
from application.libs.mail import MAX_ADDRESS
from application.libs.message_template import SUBJECT_LENGTH

LONG_TEXT = Text().with_variant(mysql.MEDIUMTEXT(), "mysql", "mariadb")


class Channel(StrEnum):
    """Say how a message is sent."""

    MAIL = "mail"
    SMS = "sms"


class State(StrEnum):
    """Say what became of a message."""

    QUEUED = "queued"
    """It is still tried."""
    SENT = "sent"
    """A server took it."""
    FAILED = "failed"
    """It was given up."""
    BOUNCED = "bounced"
    """A server took it, and it came back."""


class Message(Base):
    """Be a message to one recipient."""

    __tablename__ = "message"
    __table_args__ = (
        Index("ix_message_created_at", "created_at", "id"),
        Index("ix_message_state_created_at", "state", "created_at", "id"),
        Index("ix_message_recipient_created_at", "recipient", "created_at", "id"),
        TABLE_OPTIONS,
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    channel: Mapped[str] = mapped_column(String(10))
    recipient: Mapped[str] = mapped_column(String(MAX_ADDRESS))
    template: Mapped[str] = mapped_column(String(50))
    language: Mapped[str] = mapped_column(String(20))
    subject: Mapped[str | None] = mapped_column(String(SUBJECT_LENGTH))
    """Of mail; what is secret in it is masked."""
    parameters: Mapped[str] = mapped_column(LONG_TEXT)
    """A JSON object; those that are secret stand apart."""
    secrets: Mapped[str | None] = mapped_column(LONG_TEXT)
    """The secret ones until the message has been sent or given up; then null."""
    state: Mapped[str] = mapped_column(String(10))
    task_id: Mapped[str | None] = mapped_column(Id)
    """The task that delivers it; null where a command did so itself."""
    attempts: Mapped[int]
    reply: Mapped[str | None] = mapped_column(String(REPLY_LENGTH))
    """What the server said when it took it, or why it was not taken."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    failed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When it was given up, or came back."""
