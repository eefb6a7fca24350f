"""Show what messages look like, and try the settings out, from the command line."""

import click
from flask.cli import with_appcontext

from application.database import transaction
from application.libs.delivery import DeliveryFailure
from application.modules.message import business
from application.modules.message.business import template as templates
from application.modules.message.models import Channel

_CHANNEL = click.Choice([channel.value for channel in Channel])
_LANGUAGE = click.option(
    "--language", type=click.Choice(templates.WRITER.languages()), default="en", show_default=True, help="To write in."
)


@click.group("message")
def message_group() -> None:
    """Look after mail and short messages."""


@message_group.command("preview")
@click.argument("name", type=click.Choice(sorted(templates.TEMPLATES)))
@_LANGUAGE
@click.option("--channel", type=_CHANNEL, default="mail", show_default=True, help="What to show.")
@click.option("--html", is_flag=True, help="Show the HTML of a mail instead of its text.")
def preview(name: str, language: str, channel: str, html: bool) -> None:
    """Print the message of a template, filled with its samples."""
    try:
        found = templates.find(name, channel)
    except business.UnknownTemplate as error:
        raise click.ClickException(str(error)) from None
    written = templates.write(found, channel, language, found.sample)
    if html:
        click.echo(written.html)
        return
    if written.subject is not None:
        click.echo(f"Subject: {written.subject}\n")
    click.echo(written.text.rstrip("\n"))


@message_group.command("send-test")
@click.argument("to")
@_LANGUAGE
@click.option("--channel", type=_CHANNEL, default=None, help="By default sms for a number, else mail.")
@with_appcontext
def send_test(to: str, language: str, channel: str | None) -> None:
    """Send a test message now, in this process, and say what the server answers; the message stays in the list."""
    chosen = Channel(channel) if channel else Channel.SMS if to.startswith("+") else Channel.MAIL
    try:
        with transaction():
            message_id = business.accept(chosen, to=to, template="test", language=language, is_task=False)
        business.deliver(message_id, is_last=True)
    except business.InvalidRecipient as error:
        raise click.ClickException(f"{to}: {error.errors[0]['msg']}") from None
    except DeliveryFailure as error:
        raise click.ClickException(f"Message {message_id} was not sent: {error}") from None
    with transaction(write=False):
        sent = business.get(message_id)
    click.echo(f"Message {sent.id} to {sent.recipient}: {sent.reply}")
