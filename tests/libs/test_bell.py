"""Rings that never wait and never fail."""

import subprocess
import sys
import threading
import time

import pytest

from application.config.setting import ROOT
from application.libs import bell as machinery
from application.libs.bell import BrokerBell, LocalBell
from tests.parallel import at_once
from tests.waiting import wait_until


class Broker:
    """Take rings, or be away, or take its time."""

    def __init__(self) -> None:
        self.rings: list[tuple[str, str, int]] = []
        self.away = False
        self.open = threading.Event()
        self.open.set()

    def publish(self, task_id: str, queue: str, priority: int) -> None:
        self.open.wait(10)
        if self.away:
            raise ConnectionError("away")
        self.rings.append((task_id, queue, priority))


class TestBrokerBell:
    def test_publishes_in_order(self) -> None:
        broker = Broker()
        bell = BrokerBell(broker.publish)
        for number in range(100):
            bell.ring(str(number), "mail", 4)
        bell.close()
        assert broker.rings == [(str(number), "mail", 4) for number in range(100)]

    @pytest.mark.timed
    def test_keeps_nobody_waiting_for_a_broker_that_says_nothing(self) -> None:
        broker = Broker()
        broker.open.clear()
        bell = BrokerBell(broker.publish)
        began = time.monotonic()
        for number in range(1000):
            bell.ring(str(number), "default", 4)
        assert time.monotonic() - began < 0.5
        broker.open.set()
        bell.close(5)

    def test_drops_the_oldest_where_too_many_wait(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(machinery, "MOST_WAITING", 3)
        broker = Broker()
        broker.open.clear()
        bell = BrokerBell(broker.publish)
        bell.ring("first", "default", 4)
        wait_until(lambda: not bell._rings)
        for number in range(9):
            bell.ring(str(number), "default", 4)
        broker.open.set()
        bell.close(5)
        assert [task_id for task_id, _, _ in broker.rings] == ["first", "6", "7", "8"]

    def test_has_one_thread_whoever_rings_first(self) -> None:
        broker = Broker()
        bell = BrokerBell(broker.publish)
        at_once([lambda: bell.ring("one", "default", 4)] * 8)
        assert [thread.name for thread in threading.enumerate()].count("task-bell") == 1
        bell.close()
        assert len(broker.rings) == 8

    def test_says_once_that_a_broker_is_away_and_goes_on(self, caplog: pytest.LogCaptureFixture) -> None:
        broker = Broker()
        broker.away = True
        bell = BrokerBell(broker.publish)
        for _ in range(5):
            bell.ring("lost", "default", 4)
        wait_until(lambda: not bell._rings)
        broker.away = False
        bell.ring("heard", "default", 4)
        bell.close()
        assert caplog.text.count("The broker cannot be reached") == 1
        assert broker.rings[-1] == ("heard", "default", 4)

    def test_may_be_closed_without_a_ring(self) -> None:
        BrokerBell(Broker().publish).close()

    def test_has_a_thread_of_its_own_in_a_fork(self) -> None:
        program = """
import os
from application.libs.bell import BrokerBell
bell = BrokerBell(lambda *ring: os.write(1, f"{ring[0]} ".encode()))
bell.ring("parent", "default", 4)
bell.close()
bell.ring("again", "default", 4)
child = os.fork()
if child == 0:
    bell.ring("child", "default", 4)
    bell.close()
    os._exit(0)
os.waitpid(child, 0)
bell.close()
"""
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
        )
        assert sorted(done.stdout.split()) == ["again", "child", "parent"]


class TestLocalBell:
    def test_wakes(self) -> None:
        woken: list[int] = []
        LocalBell(lambda: woken.append(1)).ring("one", "default", 4)
        assert woken == [1]
