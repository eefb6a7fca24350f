"""Keep documents in RethinkDB: one table, with indexes in the orders in which they are asked for."""

import threading
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from typing import Any

from rethinkdb import r
from rethinkdb.errors import ReqlError, ReqlNonExistenceError, ReqlOpFailedError

from application.libs.jobstore import JobStorePlace
from application.modules.scheduler.store.keeper import answering

_ERRORS = (ReqlError, OSError)


class RethinkKeeper:
    """Be a `Keeper`; a document is `{id, job, next_run_time, aside}`, `job` being the text, and changes compare it."""

    def __init__(self, connect: Callable[[], Any], *, database: str, table: str) -> None:
        """Keep what `connect` gives a connection of, one question at a time; nothing is asked yet."""
        self._connect = connect
        self._names = database, table
        self._connection: Any = None
        self._lock = threading.Lock()

    def read(self, job_ids: Collection[str]) -> Mapping[str, bytes]:
        """Return the documents of these ids; one without a text of ours has an empty one."""
        found = self._ask(lambda table: table.get_all(r.args(list(job_ids))).pluck("id", "job"))
        return {one["id"]: _bytes(one.get("job")) for one in found}

    def scheduled(self, behind: tuple[int, str], until: int | None, limit: int) -> list[tuple[int, str]]:
        """Return when documents are due and their ids, behind a place."""
        most = r.maxval if until is None else [until, r.maxval]
        found = self._ask(
            lambda table: (
                table.between(list(behind), most, index="place", left_bound="open")
                .order_by(index="place")
                .limit(limit)
                .pluck("id", "next_run_time")
            )
        )
        return [(int(one["next_run_time"]), str(one["id"])) for one in found]

    def paused(self, behind: str, limit: int) -> list[str]:
        """Return the ids of paused documents behind an id."""
        found = self._ask(
            lambda table: (
                table.between([True, behind], [True, r.maxval], index="paused", left_bound="open")
                .order_by(index="paused")
                .limit(limit)
                .pluck("id")
            )
        )
        return [str(one["id"]) for one in found]

    def aside(self) -> set[str]:
        """Return the ids of what is put aside."""
        return {str(one["id"]) for one in self._ask(lambda table: table.get_all(True, index="aside").pluck("id"))}

    def sizes(self) -> tuple[int, int]:
        """Return how many documents there are, and how many of them are paused."""
        total = self._run(lambda table: table.count())
        paused = self._run(lambda table: table.between([True, ""], [True, r.maxval], index="paused").count())
        return int(total), int(paused)

    def set_aside(self, job_id: str, *, is_aside: bool) -> None:
        """Put a document aside, or no longer."""
        self._run(lambda table: table.get(job_id).update({"aside": is_aside}))

    def swap(self, job_id: str, before: bytes | None, after: bytes | None, due: int | None) -> bool:
        """Put one document in the place of another."""
        written = None
        if after is not None:
            written = {"id": job_id, "job": after.decode("utf-8", "replace"), "next_run_time": due}
        if before is None:
            if written is None:
                return not self.read([job_id])
            return int(self._run(lambda table: table.insert(written, conflict="error"))["errors"]) == 0
        was = before.decode("utf-8", "replace")
        changed = r.error("changed")

        def compared(row: Any) -> Any:
            return r.branch(row.eq(None), changed, row["job"].default("").eq(was), self._merged(row, written), changed)

        return int(self._run(lambda table: table.get(job_id).replace(compared))["errors"]) == 0

    def close(self) -> None:
        """Let go of the connection."""
        with self._lock:
            connection, self._connection = self._connection, None
        if connection is not None:
            connection.close(noreply_wait=False)

    def _merged(self, row: Any, written: Mapping[str, Any] | None) -> Any:
        return None if written is None else row.merge(written)

    def _ask(self, question: Callable[[Any], Any]) -> list[Any]:
        return list(self._run(question))

    def _run(self, question: Callable[[Any], Any]) -> Any:
        database, table = self._names
        with answering("RethinkDB", _ERRORS), self._lock:
            try:
                return question(r.db(database).table(table)).run(self._opened())
            except OSError:
                self._connection = None
                raise

    def _opened(self) -> Any:
        """Return the connection, with table and indexes there."""
        if self._connection is None or not self._connection.is_open():
            self._connection = self._connect()
            self._prepare()
        return self._connection

    def _prepare(self) -> None:
        database, table = self._names
        with suppress(ReqlOpFailedError):  # it is there
            r.db_create(database).run(self._connection)
        with suppress(ReqlOpFailedError):
            r.db(database).table_create(table).run(self._connection)
        opened = r.db(database).table(table)
        indexes: dict[str, Callable[[Any], Any]] = {
            "place": lambda row: [row["next_run_time"], row["id"]],
            "paused": lambda row: [row["next_run_time"].eq(None), row["id"]],
            "aside": lambda row: row["aside"],
        }
        for name, of in indexes.items():
            with suppress(ReqlOpFailedError, ReqlNonExistenceError):
                opened.index_create(name, of).run(self._connection)
        opened.index_wait().run(self._connection)


def make(place: JobStorePlace) -> RethinkKeeper:
    """Return the keeper of a place; its connection is made when it is asked first."""
    options, instance = dict(place.options), place.instance
    database, table = options.pop("database", "apscheduler"), options.pop("table", "jobs")
    if instance is None:
        return RethinkKeeper(lambda: r.connect(**{"timeout": 1, **options}), database=database, table=table)
    given = {"database": instance.database, "table": instance.table_name}
    if instance.client is not None:
        return RethinkKeeper(lambda: instance.client, **given)
    return RethinkKeeper(lambda: r.connect(**{"timeout": 1, **instance.connect_args}), **given)


def _bytes(job: Any) -> bytes:
    """Return a text as bytes; what another program put there is shown, and never loaded."""
    return job.encode("utf-8", "surrogatepass") if isinstance(job, str) else b""
