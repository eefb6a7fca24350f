"""What every store does, on real servers."""

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from msgspec.structs import replace

from application.database import transaction
from application.libs.trigger import to_micros
from application.modules.scheduler.business.definition import encode
from application.modules.scheduler.store import DocumentStore, JobChanged, JobStore, StoredJob, walk
from tests.modules.scheduler.conftest import declare_all, job

NOW = datetime(2030, 1, 31, 12, 0, 0, 123_456, tzinfo=UTC)
DUE = to_micros(NOW)
ODD_IDS = ["a b", "报告", "a.b:c;d=e", "50%", "..x", "%2F", "'; --", "~", "é", "𝄞"]


def stored(job_id: str, due: int | None = DUE, **changes: Any) -> StoredJob:
    """Return a job as it is stored."""
    (declared,) = declare_all(job(job_id, "create_a_tag", kwargs={"name": "Grüße\n"}))
    fields: dict[str, Any] = {
        "id": job_id,
        "definition": encode(declared.definition),
        "version": 1,
        "source": "api",
        "declaration": None,
        "next_run_time": due,
        "paused_by": None if due is not None else "ada",
        "paused_at": None if due is not None else NOW,
        "left_out_from": None,
        "quarantine": None,
        "quarantined_at": None,
        "created_at": NOW,
        "updated_at": NOW,
        "store": "default",
    }
    return StoredJob(**{**fields, **changes})


def bare(found: StoredJob | None) -> StoredJob:
    """Return a job without what its store remembers it by."""
    assert found is not None
    return replace(found, kept=b"")


def fill(store: JobStore, jobs: Sequence[StoredJob]) -> None:
    """Put jobs into a store."""
    with transaction():
        for one in jobs:
            store.insert(one)


class TestJobStore:
    @pytest.mark.parametrize("due", [DUE, None])
    def test_gives_back_what_it_was_given(self, store: JobStore, due: int | None) -> None:
        given = stored("tidy", due, left_out_from=None if due else DUE, declaration="x" * 64)
        fill(store, [given])
        with transaction(write=False):
            assert bare(store.get("tidy")) == given
            assert [bare(one) for one in store.some(["tidy", "none"])] == [given]
            assert store.get("none") is None

    def test_takes_every_id(self, store: JobStore) -> None:
        fill(store, [stored(job_id, None if number % 2 else DUE) for number, job_id in enumerate(ODD_IDS)])
        with transaction(write=False):
            assert {one.id for one in walk(store, None, 3)} == set(ODD_IDS)
            assert all(bare(store.get(job_id)).id == job_id for job_id in ODD_IDS)
        with transaction():
            for job_id in ODD_IDS:
                seen = store.lock(job_id)
                assert seen is not None
                store.delete(seen)
        with transaction(write=False):
            assert store.count().total == 0

    @pytest.mark.parametrize("at_once", [1, 2, 100])
    def test_lists_by_next_run_and_id_and_paused_ones_last(self, store: JobStore, at_once: int) -> None:
        order = [("c", DUE), ("a", DUE + 1), ("b", DUE + 1), ("d", DUE + 2), ("A", None), ("e", None), ("f", None)]
        fill(store, [stored(job_id, due) for job_id, due in reversed(order)])
        with transaction(write=False):
            assert [(one.id, one.next_run_time) for one in walk(store, None, at_once)] == order
            behind = list(walk(store, (DUE + 1, "a"), at_once))
        assert [one.id for one in behind] == ["b", "d", "A", "e", "f"]

    def test_tells_what_is_due_and_when_the_next_one_is(self, store: JobStore) -> None:
        fill(store, [stored("late", DUE - 5), stored("now", DUE), stored("soon", DUE + 5), stored("paused", None)])
        with transaction():
            assert [(one.id, one.next_run_time) for one in store.due(DUE, 10)] == [("late", DUE - 5), ("now", DUE)]
            assert [one.id for one in store.due(DUE, 1)] == ["late"]
            assert store.next_time(DUE) == DUE + 5
            assert store.next_time(DUE + 5) is None
            assert [one.id for one in store.scheduled(10, besides="now")] == ["late", "soon"]

    def test_counts(self, store: JobStore) -> None:
        fill(store, [stored("a"), stored("b", None), stored("c")])
        with transaction():
            (due, _other) = store.due(DUE, 10)
            store.quarantine(due, "its function is gone", NOW)
        with transaction(write=False):
            count = store.count()
        assert (count.total, count.quarantined, count.paused) == (3, 1, 1)

    def test_refuses_a_second_job_of_an_id(self, store: JobStore) -> None:
        fill(store, [stored("tidy")])
        with pytest.raises(JobChanged):
            fill(store, [stored("tidy", None)])
        with transaction(write=False):
            assert bare(store.get("tidy")).next_run_time == DUE

    def test_changes_what_was_seen(self, store: JobStore) -> None:
        fill(store, [stored("tidy")])
        with transaction():
            seen = store.lock("tidy")
            assert seen is not None
            store.replace(seen, {"version": 2, "next_run_time": None, "paused_by": "ada", "updated_at": NOW})
        with transaction():
            found = store.lock("tidy")
            assert found is not None
            assert (found.version, found.next_run_time, found.paused_by) == (2, None, "ada")
            assert [one.id for one in walk(store, (None, ""), 10)] == ["tidy"]
            store.delete(found)
        with transaction():
            assert store.get("tidy") is None
            assert store.due(DUE, 10) == []

    def test_finds_what_the_code_declared(self, store: JobStore) -> None:
        fill(store, [stored("mine", declaration="x"), stored("named"), stored("other"), stored("off", None)])
        with transaction(write=False):
            assert {one.id for one in store.declared(["named", "new"])} == {"mine", "named"}

    def test_advances_and_ends_what_was_claimed(self, store: JobStore) -> None:
        fill(store, [stored("goes on"), stored("is over"), stored("is changed")])
        with transaction():
            goes_on, changed, is_over = store.due(DUE, 10)
            assert (goes_on.id, is_over.id) == ("goes on", "is over")
            if isinstance(store, DocumentStore):
                self._pause(store, "is changed")
            store.advance([(goes_on, DUE + 60), (changed, DUE + 60)])
            store.end(is_over)
        with transaction(write=False):
            assert bare(store.get("goes on")).next_run_time == DUE + 60
            assert store.get("is over") is None
            assert bare(store.get("is changed")).next_run_time == (
                None if isinstance(store, DocumentStore) else DUE + 60
            )

    def test_puts_aside_what_cannot_be_restored_until_another_leads(self, store: JobStore) -> None:
        fill(store, [stored("bad", definition="{}")])
        with transaction():
            (due,) = store.due(DUE, 10)
            store.quarantine(due, "it has no function", NOW)
        with transaction():
            assert store.due(DUE, 10) == []
            assert store.next_time(0) is None
            assert bare(store.get("bad")).quarantine == "it has no function"
            assert bare(store.get("bad")).quarantined_at == NOW
            store.release_quarantine()
        with transaction():
            assert [one.id for one in store.due(DUE, 10)] == ["bad"]
            assert bare(store.get("bad")).quarantine is None

    def test_writes_nothing_when_it_is_read(self, store: JobStore) -> None:
        fill(store, [stored("a"), stored("b", None), stored("bad", definition="no JSON")])
        before = self._read_all(store)
        assert self._read_all(store) == before

    def test_lets_one_of_many_writers_win(self, store: JobStore, app: Flask) -> None:
        fill(store, [stored("tidy")])

        def add(number: int) -> bool:
            with app.app_context():
                try:
                    with transaction():
                        seen = store.lock("tidy")
                        assert seen is not None
                        changes = {"version": seen.version + 1, "paused_by": f"{number}", "updated_at": NOW}
                        store.replace(seen, changes)
                except JobChanged:
                    return False
            return True

        with ThreadPoolExecutor(4) as pool:
            won = sum(pool.map(add, range(20)))
        with transaction(write=False):
            assert bare(store.get("tidy")).version == 1 + won
        assert won > 0

    @staticmethod
    def _pause(store: JobStore, job_id: str) -> None:
        seen = store.lock(job_id)
        assert seen is not None
        store.replace(seen, {"next_run_time": None, "updated_at": NOW + timedelta(seconds=1)})

    @staticmethod
    def _read_all(store: JobStore) -> list[Any]:
        with transaction(write=False):
            found = [*walk(store, None, 2), store.count(), *store.scheduled(10, besides=""), *store.declared(["a"])]
            return [*found, store.next_time(0)]


class TestDocuments:
    def test_are_json_that_people_read(self, store: JobStore) -> None:
        if not isinstance(store, DocumentStore):
            pytest.skip("in the database a job is a row")
        fill(store, [stored("kw")])
        with transaction(write=False):
            kept = store.lock("kw")
        assert kept is not None
        shown = json.loads(kept.kept)
        assert shown["format"] == 1
        assert shown["id"] == "kw"
        assert shown["next_run_time"] == NOW.isoformat()
        assert shown["definition"]["kwargs"] == {"name": "Grüße\n"}
        assert "Grüße" in kept.kept.decode()
