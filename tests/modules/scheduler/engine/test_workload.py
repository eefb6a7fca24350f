"""What a process has in hand."""

import threading
import time

import pytest

from application.libs import clock
from application.libs.run_context import Stop
from application.modules.scheduler.business import ending
from application.modules.scheduler.business.attempt import Launch
from application.modules.scheduler.business.ending import Ended
from application.modules.scheduler.engine.workload import Workload


def launch(attempt_id: str) -> Launch:
    return Launch(attempt_id=attempt_id, run_id="", job_id="", scheduled_at=0, token=1, number=1, definition="")


def end(attempt_id: str) -> Ended:
    return ending.succeeded(launch(attempt_id), clock.now(), clock.now(), None, Stop())


class Clock:
    """Be a monotonic clock that the test sets."""

    seconds = 10.0

    def __call__(self) -> float:
        return self.seconds


class TestWorkload:
    def test_holds_an_attempt_until_its_end_is_written_down(self) -> None:
        work = Workload()
        work.add([launch("one"), launch("two")])
        assert work.begin("one") is not None
        assert work.end(end("one"))
        assert [ended.attempt_id for ended in work.await_ended(0)] == ["one"]
        assert work.ids() == {"one", "two"}
        work.forget(["one"])
        assert work.ids() == {"two"}
        assert work.await_ended(0) == []

    def test_says_once_since_when_threads_work(self) -> None:
        work = Workload()
        work.add([launch("one"), launch("two")])
        hand = work.begin("one")
        assert hand is not None
        assert work.take_started() == [("one", hand.begun_at)]
        assert work.take_started() == []

    def test_begins_nothing_once_it_is_closed(self) -> None:
        work = Workload()
        work.add([launch("begun"), launch("waiting")])
        work.begin("begun")
        assert [left.attempt_id for left in work.close()] == ["waiting"]
        assert work.begin("waiting") is None
        assert work.ids() == {"begun"}

    def test_takes_no_end_of_what_was_given_up(self) -> None:
        work = Workload()
        work.add([launch("one")])
        work.begin("one")
        assert [left.attempt_id for left in work.give_up()] == ["one"]
        assert not work.end(end("one"))

    @pytest.mark.timed
    def test_wakes_who_waits_for_an_end(self) -> None:
        work = Workload()
        work.add([launch("one")])
        timer = threading.Timer(0.05, lambda: work.end(end("one")))
        timer.start()
        started_at = time.monotonic()
        assert work.await_ended(10)
        assert time.monotonic() - started_at < 5
        timer.join()

    def test_tells_when_nothing_is_in_hand(self) -> None:
        work = Workload()
        assert work.await_end(0)
        work.add([launch("one")])
        assert not work.await_end(0.01)
        timer = threading.Timer(0.05, lambda: work.forget(["one"]))
        timer.start()
        assert work.await_end(10)
        timer.join()

    def test_gives_up_what_takes_longer_than_it_may(self) -> None:
        now = Clock()
        work = Workload(now)
        work.add([launch("slow"), launch("free"), launch("waiting")])
        for attempt_id in ("slow", "waiting"):
            work.prepare(attempt_id, executor="default", timeout=5)
        slow, _free = work.begin("slow"), work.begin("free")
        now.seconds += 4.9
        assert work.stop_overdue() == []
        now.seconds += 0.1
        assert work.stop_overdue() == [slow]
        assert slow is not None
        assert slow.stop.asked
        assert [(ended.attempt_id, ended.status) for ended in work.await_ended(0)] == [("slow", "timed_out")]
        assert not work.end(end("slow"))

    def test_kills_what_has_a_process_and_asks_what_has_a_thread(self) -> None:
        work, killed = Workload(), list[str]()
        work.add([launch("thread"), launch("process"), launch("waiting")])
        work.prepare("process", executor="processpool", timeout=None, kill=killed.append)
        thread, process = work.begin("thread"), work.begin("process")
        work.ask_to_stop(dict.fromkeys(("thread", "process", "waiting", "elsewhere"), "cancelled by root"))
        assert killed == ["process"]
        assert thread is not None
        assert process is not None
        assert thread.stop.reason == process.stop.reason == "cancelled by root"
        assert thread.ended is None
        assert {ended.attempt_id for ended in work.await_ended(0)} == {"process", "waiting"}

    def test_hands_output_out_until_it_is_written_down(self) -> None:
        work = Workload()
        work.add([launch("one")])
        hand = work.begin("one")
        assert hand is not None
        hand.output.write("first\n")
        (piece,) = work.output()
        hand.output.write("second\n")
        assert work.output() == [("one", 1, "first\n"), ("one", 2, "second\n")]
        work.forget_output([piece])
        assert work.output() == [("one", 2, "second\n")]

    def test_remembers_the_most_memory_there_was(self) -> None:
        work = Workload()
        work.see_memory(100)
        work.add([launch("one")])
        work.begin("one")
        work.see_memory(300)
        work.see_memory(200)
        work.end(end("one"))
        (ended,) = work.await_ended(0)
        assert ended.memory == ending.Memory(start=100, peak=300, shared=True)
