"""Tell which addresses a permission opens, from what the operations declare."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from application.libs.redprint import machinery

_PARAMETER = re.compile(r"<(?:[^<>]*:)?([a-zA-Z_]\w*)>")


def opened(app: Any) -> Mapping[str, Sequence[tuple[str, str]]]:
    """Return method and path of all that asks for each permission, of every surface; the paths as in OpenAPI."""
    addresses: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    for item in machinery(app).mounted:
        operation = item.operation
        if operation.permission is not None:
            for rule in app.url_map.iter_rules(item.endpoint):
                addresses[operation.permission].append((operation.method, _PARAMETER.sub(r"{\1}", rule.rule)))
    return {permission: sorted(found, key=lambda one: one[::-1]) for permission, found in addresses.items()}
