"""Pair a change with what GET answers at its address: its `If-Match` is compared with that (RFC 9110 §13.1.1).

All redprints of a surface are looked at, whatever the parameters of a rule are called; a creation is paired with the
address of the items that it creates, too.
"""

import re
from collections.abc import Mapping
from dataclasses import replace

from application.libs.declaration import mistake
from application.libs.operation import Operation
from application.libs.respond import is_tagged

Reads = Mapping[str, Operation]
"""What GET answers, by the address without the names of its parameters."""


def paired(operation: Operation, address: str, reads: Reads) -> Operation:
    """Return a surface's operation with what GET answers where it is, and where the items are that it creates."""
    if not operation.changes:
        return operation
    return replace(operation, current=_current(operation, address, reads), created=_created(operation, address, reads))


def _current(operation: Operation, address: str, reads: Reads) -> Operation | None:
    """Return what GET answers; None where that carries no tag of ours.

    A GET in units of its own may read more than the database, or write; neither may happen while a change holds its
    locks. Beside a POST, which seldom changes what is at its own address, it is passed over.
    """
    current = reads.get(address)
    if current is None or not is_tagged(current):
        return None
    if current.transaction:
        return current
    if operation.method == "POST":
        return None
    what = f"its `If-Match` cannot be compared with what {current.where} answers in units of its own at {address}"
    raise mistake(operation.where, what, f"Drop `transaction=False` of {current.name}, or let it return a Response")


def _created(operation: Operation, address: str, reads: Reads) -> Operation | None:
    if operation.method != "POST" or operation.status not in (201, 202) or not _has_id(operation):
        return None
    item = re.compile(re.escape(address) + r"/<[^/]+>")
    found = (read for path, read in reads.items() if item.fullmatch(path) and read.gives_one_resource)
    return next(found, None)


def _has_id(operation: Operation) -> bool:
    schema = operation.answer.schema
    return operation.answer.is_one and schema is not None and "id" in schema.model_fields
