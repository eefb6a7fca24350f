"""Look after users from the command line."""

import click
from flask.cli import with_appcontext
from pydantic import ValidationError

from application.database import transaction
from application.libs.secret import hash_password
from application.modules.auth import business as auth_business
from application.modules.user import business
from application.modules.user.schemas import UserIn
from application.permissions import Role


@click.command("create-admin")
@click.option("--name", default="admin", show_default=True, help="Name to sign in with.")
@click.option(
    "--password",
    prompt=True,
    hide_input=True,
    confirmation_prompt=True,
    envvar="ADMIN_PASSWORD",
    help="8 to 128 characters; asked for if neither this nor ADMIN_PASSWORD is given, which keeps it out of sight.",
)
@click.option("--existing", is_flag=True, help="Make a user who exists an administrator, with this password.")
@with_appcontext
def create_admin(name: str, password: str, existing: bool) -> None:
    """Create an administrator."""
    try:
        wanted = UserIn(name=name, password=password)
    except ValidationError as error:
        faults = "; ".join(f"{fault['loc'][0]}: {fault['msg']}" for fault in error.errors(include_input=False))
        raise click.ClickException(faults) from None
    password_hash = hash_password(wanted.password)
    try:
        with transaction():
            _save(wanted.name, password_hash, existing=existing)
    except business.NameTaken:
        raise click.ClickException(
            f"There is a user {wanted.name}; add --existing to make them administrator."
        ) from None
    except business.UserNotFound:
        raise click.ClickException(f"There is no user {wanted.name}; leave --existing out to create them.") from None
    click.echo(f"{wanted.name} is an administrator.")


def _save(name: str, password_hash: str, *, existing: bool) -> None:
    if not existing:
        business.create(name=name, password_hash=password_hash, roles=(Role.USER, Role.ADMIN))
        return
    account = auth_business.find_account(name)
    if account is None:
        raise business.UserNotFound
    business.update(account.user_id, password_hash=password_hash, roles=sorted({*account.roles, Role.ADMIN}))
