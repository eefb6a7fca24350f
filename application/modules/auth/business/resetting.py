"""Another password: for who has forgotten theirs and reads what is sent to an address of theirs."""

from application.database import transaction
from application.libs.remote import SOMEBODY, Client
from application.libs.secret import hash_password
from application.modules.auth.business.account import find_account_of
from application.modules.code import business as codes
from application.modules.contact import business as contacts
from application.modules.contact.models import Kind
from application.modules.message import business as messages
from application.modules.throttle import business as throttle
from application.modules.user import business as users


def check_reset_code(to: str, code: str, *, client: Client = SOMEBODY) -> codes.TriedRow:
    """Return the code that was sent to an address, if it is right; raise `WrongCode`, or `Throttled`."""
    return codes.check(codes.Purpose.RESET, contacts.read_address(to), code, remote=client.address)


def reset_password(tried: codes.TriedRow, password: str, *, language: str) -> None:
    """Give an account another password, end its sessions and codes, and forgive the wrong passwords.

    A password that is refused leaves the code, or the link, as good as it was.
    """
    user_id = tried.holder_id()
    with transaction(write=False):
        account = find_account_of(user_id)
    if account is None:
        raise tried.refusal()
    users.check_new_password(password, name=account.name)
    password_hash = hash_password(password)
    with transaction():
        throttle.forgive_names([account.name, *(contact.address for contact in contacts.search(user_id))])
        codes.use(tried)
        users.update(user_id, password_hash=password_hash)
        tell_of_new_password(user_id, language=language)


def tell_of_new_password(user_id: str, *, language: str) -> None:
    """Mail the user that they have another password, to all their addresses: whoever did not do so has to act."""
    for contact in contacts.search(user_id):
        if contact.kind == Kind.MAIL:
            messages.send_mail(to=contact.address, template="password_changed", language=language)
