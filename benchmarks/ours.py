"""Serve our application as it is, but for how often one caller may ask: a load is one caller.

The limits are counted and announced as ever; only the numbers are a million times higher, or after 120 posts in a
minute the answer would be 429.
"""

from typing import Any

from limits import RateLimitItem

from application.libs import operation
from application.libs.gunicorn_app import load_app as load
from application.libs.rate_limit import parse_limit

FACTOR = 1_000_000


def _generous(text: object) -> RateLimitItem:
    amount, _slash, period = str(text).partition("/")
    return parse_limit(f"{int(amount) * FACTOR}/{period}")


def load_app() -> Any:
    """Return what gunicorn serves."""
    operation.parse_limit = _generous  # before the endpoints are imported, which declare their limits
    return load("application.factory:create_app")
