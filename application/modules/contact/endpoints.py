"""See, add and take away where one can be reached; everybody does so for themselves."""

from collections.abc import Sequence

from application.libs.auth import current_identity
from application.libs.multilingual import spoken_language
from application.libs.redprint import Redprint, unit_of_work
from application.libs.remote import current_client
from application.modules.code import business as codes
from application.modules.contact import business
from application.modules.contact.schemas import ContactId, ContactIn, ContactOut
from application.modules.message.business import InvalidRecipient
from application.modules.throttle import business as throttle

contact = Redprint("contact", __name__)


@contact.get("", answer=ContactOut)
def index() -> Sequence[business.ContactRow]:
    """List one's own mail addresses and numbers."""
    return business.search(current_identity().user_id)


@contact.post(
    "",
    status=201,
    answer=ContactOut,
    errors=[InvalidRecipient, codes.WrongCode, throttle.Throttled, business.ContactTaken, business.TooManyContacts],
    transaction=False,
    rate_limit="30/minute",
)
def create(body: ContactIn) -> business.ContactRow:
    """Add an address or number, by the code that was sent there."""
    caller = current_identity()
    address, remote = business.read_address(body.to), current_client().address
    tried = codes.check(codes.Purpose.VERIFY, address, body.code, remote=remote, asked_by=caller.user_id)
    with unit_of_work():
        codes.use(tried)
        added = business.add(caller.user_id, address)
        business.tell_others(caller.user_id, added, language=spoken_language())
        return added


@contact.delete("/<id:contact_id>", errors=[business.ContactNotFound, business.OnlyWayIn])
def delete(contact_id: ContactId) -> None:
    """Take away one of one's own; nobody signs in with it any more."""
    business.delete(contact_id, user_id=current_identity().user_id)
