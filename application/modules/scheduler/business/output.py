"""Keep what attempts log and print, and give it to whoever reads along."""

from collections.abc import Sequence

import sqlalchemy as sa

from application.database import change, execute
from application.libs.record import Record
from application.modules.scheduler.models import Attempt, Output

MOST_PIECES = 100
"""How many pieces one answer holds."""

_ATTEMPT = 1_000_000  # of the cursor: no attempt writes as many pieces


class OutputRow(Record):
    """Hold output that follows a place; `next` is the place where the next reading begins.

    `ended` is whether nothing more will come.
    """

    text: str
    next: int
    ended: bool


_INSERT = sa.insert(Output)
_AFTER = (
    sa.select(Attempt.number.label("attempt"), Output.number, Output.text)
    .join(Attempt, Attempt.id == Output.attempt_id)
    .where(
        Attempt.run_id == sa.bindparam("run_id"),
        sa.or_(
            Attempt.number > sa.bindparam("attempt"),
            sa.and_(Attempt.number == sa.bindparam("attempt"), Output.number > sa.bindparam("piece")),
        ),
    )
    .order_by(Attempt.number, Output.number)
    .limit(MOST_PIECES)
)


def insert(pieces: Sequence[tuple[str, int, str]]) -> None:
    """Keep pieces of output: of which attempt, the how manieth, and the text."""
    if pieces:
        change(
            _INSERT, [{"attempt_id": attempt_id, "number": number, "text": text} for attempt_id, number, text in pieces]
        )


def read(run_id: str, *, after: int, ended: bool) -> OutputRow:
    """Return the output of a run from a place on, 0 is its beginning; `ended` is whether the run has."""
    attempt, piece = divmod(after, _ATTEMPT)
    rows = execute(_AFTER, run_id=run_id, attempt=attempt, piece=piece).all()
    place = rows[-1].attempt * _ATTEMPT + rows[-1].number if rows else after
    return OutputRow(text="".join(row.text for row in rows), next=place, ended=ended and len(rows) < MOST_PIECES)
