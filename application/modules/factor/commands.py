"""Let in whoever has lost their second factor, from the command line: the last administrator, too."""

import click
from flask.cli import with_appcontext

from application.database import transaction
from application.modules.auth import business as auth_business
from application.modules.factor import business


@click.command("reset-factor")
@click.argument("name")
@with_appcontext
def reset_factor(name: str) -> None:
    """Take the second factor from a user, who signs in by the password alone then; it ends their sessions."""
    try:
        with transaction():
            account = auth_business.find_account(name)
            if account is None:
                raise click.ClickException(f"There is no user {name}, or they are disabled.")
            business.take_away(account.user_id)
    except business.FactorOff:
        raise click.ClickException(f"{name} has no second factor.") from None
    click.echo(f"{name} signs in by the password alone.")
