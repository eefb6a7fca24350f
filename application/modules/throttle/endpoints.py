"""See how many attempts at secrets are counted, held back and refused."""

from collections.abc import Sequence

from application.libs.redprint import Redprint
from application.modules.throttle import business
from application.modules.throttle.schemas import LimitOut
from application.permissions import Permission

throttle = Redprint("throttle", __name__)


@throttle.get("", permission=Permission.USER_MANAGE, answer=LimitOut)
def index() -> Sequence[business.LimitRow]:
    """Read how the limits on attempts do."""
    return business.figures()
