"""Follow the Link headers of lists (RFC 8288)."""

import re

from werkzeug.test import TestResponse

_LINK = re.compile(r'<([^>]*)>; rel="(\w+)"')


def links(response: TestResponse) -> dict[str, str]:
    """Return the addresses of a Link header by their relation."""
    return {relation: address for address, relation in _LINK.findall(response.headers.get("Link", ""))}


def next_url(response: TestResponse) -> str:
    """Return the address of the following page, empty behind the last."""
    return links(response).get("next", "")
