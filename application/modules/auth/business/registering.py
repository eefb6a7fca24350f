"""Registering: an account for who shows the code that was sent to an address of theirs."""

from application.database import transaction
from application.libs.remote import SOMEBODY, Client
from application.libs.secret import hash_password
from application.modules.auth.business.account import AccountRow
from application.modules.auth.business.signing_in import Begin, Begun_co, let_in
from application.modules.code import business as codes
from application.modules.contact import business as contacts
from application.modules.throttle import business as throttle
from application.modules.user import business as users


def register(
    *, to: str, code: str, name: str, password: str | None, begin: Begin[Begun_co], client: Client = SOMEBODY
) -> Begun_co:
    """Create an account that signs in by its address, and by a password if it has one, and begin a session of it.

    A name is looked at only once the code is right; one that is taken leaves the code as good as it was.
    """
    codes.check_registration_open()
    address = contacts.read_address(to)
    tried = codes.check(codes.Purpose.REGISTER, address, code, remote=client.address)
    password_hash = None if password is None else hash_password(password)
    with transaction():
        throttle.take_registration(client.address)
        codes.use(tried)
        user = users.create(name=name, password_hash=password_hash)
        contacts.add(user.id, address)
        account = AccountRow(user.id, user.name, password_hash, tuple(user.roles))
        return let_in(account, begin=begin, client=client)
