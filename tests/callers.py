"""Ask whom something stands for, as every request does."""

from application.libs.auth import Credentials, Identity
from application.modules.auth import business


def by_token(token: str) -> Identity | None:
    """Return who shows a session's token or a key."""
    return business.identify(Credentials("bearer", token))
