"""Remember what the leader has still to tell a store outside the database: written with the claim, in one commit."""

from collections.abc import Iterable, Sequence
from datetime import datetime

import sqlalchemy as sa
from msgspec.structs import asdict

from application.database import change, execute
from application.libs.clock import now
from application.libs.ident import new_id
from application.libs.record import Record
from application.modules.scheduler.models import StoreOrder
from application.modules.scheduler.store.record import DueJob


class Order(Record):
    """Hold what is to become of a job that was due at `seen`: due at `after`, ended (None), or aside for a reason."""

    id: str
    store: str
    job_id: str
    seen: int
    after: int | None
    reason: str | None
    at: datetime


_INSERT = sa.insert(StoreOrder)
_OF_STORE = (
    sa.select(*(getattr(StoreOrder, name) for name in Order.__struct_fields__))
    .where(StoreOrder.store == sa.bindparam("alias"))
    .order_by(StoreOrder.id)
)
_REMOVE = sa.delete(StoreOrder).where(StoreOrder.id.in_(sa.bindparam("ids", expanding=True)))


def order(
    store: str, job: DueJob, *, after: int | None = None, reason: str | None = None, at: datetime | None = None
) -> Order:
    """Return an order; see `Order`."""
    return Order(new_id(), store, job.id, job.next_run_time, after, reason, at or now())


def put(orders: Iterable[Order]) -> None:
    """Write orders down, in the current unit of work."""
    rows = [asdict(one) for one in orders]
    if rows:
        change(_INSERT, rows)


def of(store: str) -> Sequence[Order]:
    """Return the orders of a store that nobody has said to be carried out, the oldest first.

    All of them: nothing more is claimed there before they are, so they are those of one tick.
    """
    return [Order(*row) for row in execute(_OF_STORE, alias=store)]


def remove(ids: Sequence[str]) -> None:
    """Forget orders that are carried out."""
    if ids:
        change(_REMOVE, ids=list(ids))
