"""Serve our application as it is, but for how often one caller may ask: a load is one caller.

The limits are counted and announced as ever; only the numbers counted to are a million times higher, or after 120 posts
in a minute the answer would be 429.
"""

from importlib import import_module
from typing import Any

from limits import RateLimitItem

from application.libs.gunicorn_app import load_app as load
from application.libs.rate_limit import Count, Limits

FACTOR = 1_000_000


class GenerousLimits(Limits):
    """Count as ever, and refuse nobody."""

    def counter(self, limit: RateLimitItem, *, scope: str, by_address: bool) -> Count:
        """Return what counts to a number that no load reaches."""
        generous = type(limit)(limit.amount * FACTOR, limit.multiples)
        return super().counter(generous, scope=scope, by_address=by_address)


def raise_limits() -> None:
    """Let applications that are built from now on refuse nobody for asking often."""
    vars(import_module("application.factory"))["Limits"] = GenerousLimits  # no setting raises what a route declares


def load_app() -> Any:
    """Return what gunicorn serves."""
    raise_limits()
    return load("application.factory:create_app")
