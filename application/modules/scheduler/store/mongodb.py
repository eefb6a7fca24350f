"""Keep documents in MongoDB: one collection, with an index in the order in which they are due."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from pymongo import ASCENDING, MongoClient
from pymongo.errors import DuplicateKeyError, PyMongoError

from application.libs.jobstore import JobStorePlace
from application.modules.scheduler.store.keeper import answering

PATIENCE_MILLISECONDS = 1000
"""How long one question may take before the store counts as away."""

_IN_ORDER = [("next_run_time", ASCENDING), ("_id", ASCENDING)]


class MongoKeeper:
    """Be a `Keeper`; a document is `{_id, job, next_run_time, aside}`, `job` being the text, and changes compare it."""

    def __init__(self, connect: Callable[[], "MongoClient[Any]"], *, database: str, collection: str) -> None:
        """Keep what `connect` gives a client of; nothing is asked yet."""
        self._connect = connect
        self._names = database, collection
        self._client: MongoClient[Any] | None = None
        self._opened: Any = None

    def read(self, job_ids: Collection[str]) -> Mapping[str, bytes]:
        """Return the documents of these ids; one without a text of ours has an empty one."""
        with answering("MongoDB", (PyMongoError,)):
            found = list(self._collection.find({"_id": {"$in": list(job_ids)}}, {"job": 1}))
        return {one["_id"]: _bytes(one.get("job")) for one in found}

    def scheduled(self, behind: tuple[int, str], until: int | None, limit: int) -> list[tuple[int, str]]:
        """Return when documents are due and their ids, behind a place."""
        due, job_id = behind
        bound = {"$gte": due} if until is None else {"$gte": due, "$lte": until}
        behind_it = [{"next_run_time": {"$gt": due}}, {"_id": {"$gt": job_id}}]
        with answering("MongoDB", (PyMongoError,)):
            asked = self._collection.find({"next_run_time": bound, "$or": behind_it}, {"next_run_time": 1})
            found = list(asked.sort(_IN_ORDER).limit(limit))
        return [(int(one["next_run_time"]), str(one["_id"])) for one in found]

    def paused(self, behind: str, limit: int) -> list[str]:
        """Return the ids of paused documents behind an id."""
        with answering("MongoDB", (PyMongoError,)):
            asked = self._collection.find({"next_run_time": None, "_id": {"$gt": behind}}, {"_id": 1})
            return [str(one["_id"]) for one in asked.sort(_IN_ORDER).limit(limit)]

    def aside(self) -> set[str]:
        """Return the ids of what is put aside."""
        with answering("MongoDB", (PyMongoError,)):
            return {str(one["_id"]) for one in self._collection.find({"aside": True}, {"_id": 1})}

    def sizes(self) -> tuple[int, int]:
        """Return how many documents there are, and how many of them are paused."""
        with answering("MongoDB", (PyMongoError,)):
            paused = self._collection.count_documents({"next_run_time": None})
            return self._collection.count_documents({}), paused

    def set_aside(self, job_id: str, *, is_aside: bool) -> None:
        """Put a document aside, or no longer."""
        change = {"$set": {"aside": True}} if is_aside else {"$unset": {"aside": ""}}
        with answering("MongoDB", (PyMongoError,)):
            self._collection.update_one({"_id": job_id}, change)

    def swap(self, job_id: str, before: bytes | None, after: bytes | None, due: int | None) -> bool:
        """Put one document in the place of another."""
        if before is None and after is None:
            return not self.read([job_id])
        with answering("MongoDB", (PyMongoError,)):
            if before is None:
                return self._insert(job_id, after or b"", due)
            where = {"_id": job_id, "job": _text(before)}
            if after is None:
                return bool(self._collection.delete_one(where).deleted_count)
            change = {"$set": {"job": _text(after), "next_run_time": due}}
            return bool(self._collection.update_one(where, change).matched_count)

    def close(self) -> None:
        """Let go of the connections."""
        client, self._client, self._opened = self._client, None, None
        if client is not None:
            client.close()

    def _insert(self, job_id: str, text: bytes, due: int | None) -> bool:
        try:
            self._collection.insert_one({"_id": job_id, "job": _text(text), "next_run_time": due})
        except DuplicateKeyError:
            return False
        return True

    @property
    def _collection(self) -> Any:
        """Return the collection, with its indexes; a client may be made after a fork only."""
        if self._opened is None:
            self._client = self._client or self._connect()
            database, collection = self._names
            opened = self._client[database][collection]
            opened.create_index(_IN_ORDER)
            opened.create_index("aside", sparse=True)
            self._opened = opened
        return self._opened


def _bytes(job: Any) -> bytes:
    """Return a text as bytes; what another program put there is shown, and never loaded."""
    return job.encode("utf-8", "surrogatepass") if isinstance(job, str) else b""


def _text(job: bytes) -> str | None:
    """Return what is stored of bytes; nothing stands for a document of another program, which has no such text."""
    return job.decode("utf-8", "replace") if job else None


def make(place: JobStorePlace) -> MongoKeeper:
    """Return the keeper of a place; its client is made when it is asked first."""
    options, instance = dict(place.options), place.instance
    if instance is not None:
        names = instance.collection.database.name, instance.collection.name
        return MongoKeeper(lambda: instance.client, database=names[0], collection=names[1])
    database, collection = options.pop("database", "apscheduler"), options.pop("collection", "jobs")
    patience = dict.fromkeys(("serverSelectionTimeoutMS", "connectTimeoutMS", "socketTimeoutMS"), PATIENCE_MILLISECONDS)
    return MongoKeeper(lambda: MongoClient(**{**patience, **options}), database=database, collection=collection)
