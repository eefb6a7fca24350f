"""Keep documents in ZooKeeper: a node for each, and a node whose name says where it stands; both change as one.

Under the path: `jobs/<id>`, `due/<microseconds>-<id>`, `paused/<id>`, `aside/<id>`, ids being percent-encoded. A list
of names is one answer, which ZooKeeper bounds to a megabyte: some 15,000 jobs.
"""

import re
import threading
from collections.abc import Callable, Collection, Mapping
from typing import Any
from urllib.parse import quote, unquote

from kazoo.client import KazooClient
from kazoo.exceptions import KazooException, NodeExistsError, NoNodeError
from kazoo.handlers.threading import KazooTimeoutError

from application.libs.jobstore import JobStorePlace
from application.modules.scheduler.store.keeper import answering

PATIENCE_SECONDS = 1.5
"""How long one question may take before the store counts as away."""

PATH = "/redprint"

_ERRORS = (KazooException, KazooTimeoutError)
_HEAD = re.compile(rb"(?:due ([0-9]{1,18})|paused)\n")
_DIGITS = 18


class ZooKeeperKeeper:
    """Be a `Keeper`; a node is `due <microseconds>` or `paused`, a line feed, and the document."""

    def __init__(self, connect: Callable[[], KazooClient], *, path: str = PATH) -> None:
        """Keep what `connect` gives a client of, under a path; nothing is asked yet."""
        self._connect = connect
        self._path = path.rstrip("/")
        self._client: Any = None
        self._lock = threading.Lock()

    def read(self, job_ids: Collection[str]) -> Mapping[str, bytes]:
        """Return the documents of these ids, as far as they are there."""
        with answering("ZooKeeper", _ERRORS):
            asked = [(job_id, self._zookeeper.get_async(self._at("jobs", job_id))) for job_id in job_ids]
            found = {}
            for job_id, answer in asked:
                try:
                    found[job_id] = _document(answer.get(timeout=PATIENCE_SECONDS)[0])
                except NoNodeError:
                    continue
        return found

    def scheduled(self, behind: tuple[int, str], until: int | None, limit: int) -> list[tuple[int, str]]:
        """Return when documents are due and their ids, behind a place."""
        places = sorted(_place(name) for name in self._names("due"))
        return [place for place in places if place > behind and (until is None or place[0] <= until)][:limit]

    def paused(self, behind: str, limit: int) -> list[str]:
        """Return the ids of paused documents behind an id."""
        return sorted(job_id for job_id in map(unquote, self._names("paused")) if job_id > behind)[:limit]

    def aside(self) -> set[str]:
        """Return the ids of what is put aside."""
        return {unquote(name) for name in self._names("aside")}

    def sizes(self) -> tuple[int, int]:
        """Return how many documents there are, and how many of them are paused."""
        return len(self._names("jobs")), len(self._names("paused"))

    def set_aside(self, job_id: str, *, is_aside: bool) -> None:
        """Put a document aside, or no longer."""
        node, client = self._at("aside", job_id), self._client_that_answers()
        with answering("ZooKeeper", _ERRORS):
            asked = client.create_async(node) if is_aside else client.delete_async(node)
            try:
                asked.get(timeout=PATIENCE_SECONDS)
            except (NodeExistsError, NoNodeError):
                return

    def swap(self, job_id: str, before: bytes | None, after: bytes | None, due: int | None) -> bool:
        """Put one document in the place of another."""
        node, client = self._at("jobs", job_id), self._client_that_answers()
        with answering("ZooKeeper", _ERRORS):
            try:
                data, stat = client.get_async(node).get(timeout=PATIENCE_SECONDS)
            except NoNodeError:
                data, stat = None, None
            if (None if data is None else _document(data)) != before:
                return False
            asked = client.transaction()
            self._write(asked, job_id, stat, None if after is None else _head(due) + after)
            self._move(asked, job_id, data, after, due)
            results = asked.commit_async().get(timeout=PATIENCE_SECONDS)
        return not any(isinstance(result, KazooException) for result in results)

    def close(self) -> None:
        """Let go of the connection."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.stop()
            client.close()

    def _write(self, asked: Any, job_id: str, stat: Any, data: bytes | None) -> None:
        """Ask for the node as it is to be, if it is what it was; its version begins anew where it is made anew."""
        node = self._at("jobs", job_id)
        if data is None:
            if stat is not None:
                asked.delete(node, version=stat.version)
        elif stat is None:
            asked.create(node, data)
        else:
            asked.set_data(node, data, version=stat.version)

    def _move(self, asked: Any, job_id: str, data: bytes | None, after: bytes | None, due: int | None) -> None:
        """Ask for the node that says where it stands; the one there was is named by what the document's node says."""
        head = None if data is None else _HEAD.match(data)
        before = None if head is None else self._standing(job_id, None if head[1] is None else int(head[1]))
        now = None if after is None else self._standing(job_id, due)
        if before is not None and before != now:
            asked.delete(before)
        if now is not None and before != now:
            asked.create(now)
        if after is None and job_id in self.aside():
            asked.delete(self._at("aside", job_id))

    def _standing(self, job_id: str, due: int | None) -> str:
        return self._at("paused", job_id) if due is None else self._at("due", job_id, before=f"{due:0{_DIGITS}d}-")

    def _at(self, folder: str, job_id: str, *, before: str = "") -> str:
        return f"{self._path}/{folder}/{before}{quote(job_id, safe='').replace('.', '%2E')}"

    def _names(self, folder: str) -> list[str]:
        client = self._client_that_answers()
        with answering("ZooKeeper", _ERRORS):
            asked = client.get_children_async(f"{self._path}/{folder}")
            names: list[str] = asked.get(timeout=PATIENCE_SECONDS)
        return names

    def _client_that_answers(self) -> Any:
        with answering("ZooKeeper", _ERRORS):
            return self._zookeeper

    @property
    def _zookeeper(self) -> Any:
        """Return the client, connected, with the folders there."""
        with self._lock:
            if self._client is None:
                client = self._connect()
                client.start(timeout=PATIENCE_SECONDS)
                for folder in ("jobs", "due", "paused", "aside"):
                    client.ensure_path(f"{self._path}/{folder}")
                self._client = client
            return self._client


def _head(due: int | None) -> bytes:
    return b"paused\n" if due is None else b"due %d\n" % due


def _document(data: bytes) -> bytes:
    head = _HEAD.match(data)
    return data if head is None else data[head.end() :]


def _place(name: str) -> tuple[int, str]:
    due, _, job_id = name.partition("-")
    return int(due) if due.isdecimal() else 0, unquote(job_id)


def make(place: JobStorePlace) -> ZooKeeperKeeper:
    """Return the keeper of a place; its client is made when it is asked first."""
    instance = place.instance
    if instance is not None:
        return ZooKeeperKeeper(lambda: instance.client, path=instance.path)
    hosts, path = place.options.get("hosts", "127.0.0.1:2181"), place.options.get("path", PATH)
    return ZooKeeperKeeper(lambda: KazooClient(hosts=hosts), path=path)
