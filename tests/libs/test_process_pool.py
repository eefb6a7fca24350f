"""Processes that can be killed."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial

import psutil
import pytest

from application.libs.process_pool import KillablePool, Killed, ProcessDied
from tests.waiting import wait_until

PARENT = """
import os, time
from application.libs.process_pool import KillablePool
print(KillablePool(1, os.getpid).call("who", os.getpid), flush=True)
time.sleep(60)
"""


@pytest.fixture
def pool() -> Iterator[KillablePool]:
    """Return a pool of one process, which is ended."""
    started = KillablePool(1, os.getpid)
    yield started
    started.stop()


class TestKillablePool:
    def test_gives_what_a_function_returns_or_raises(self, pool: KillablePool) -> None:
        assert pool.call("one", pow, 2, 3) == 8
        assert pool.call("where", os.getpid) != os.getpid()
        with pytest.raises(ZeroDivisionError):
            pool.call("two", divmod, 1, 0)

    def test_kills_a_call_and_goes_on(self, pool: KillablePool) -> None:
        first = pool.call("first", os.getpid)
        timer = threading.Timer(0.3, pool.kill, ["slow"])
        timer.start()
        with pytest.raises(Killed):
            pool.call("slow", time.sleep, 60)
        timer.join()
        assert pool.call("second", os.getpid) != first
        pool.kill("second")  # which has ended

    def test_tells_when_a_process_has_taken_a_call_up(self) -> None:
        pool = KillablePool(1, partial(time.sleep, 1.5))
        thread = threading.Thread(target=pool.call, args=("slow", time.sleep, 1))
        thread.start()
        began = time.monotonic()
        assert not pool.has_begun("slow")
        wait_until(lambda: pool.has_begun("slow"))
        assert time.monotonic() - began >= 1.5
        thread.join()
        pool.stop()

    def test_kills_the_newer_call_of_a_key(self) -> None:
        pool = KillablePool(2, os.getpid)
        older = threading.Thread(target=pool.call, args=("same", time.sleep, 0.5))
        older.start()
        wait_until(lambda: "same" in pool._calls)

        def kill() -> None:
            older.join()
            pool.kill("same")

        killer = threading.Timer(0.1, kill)
        killer.start()
        with pytest.raises(Killed):
            pool.call("same", time.sleep, 60)
        killer.join()
        pool.stop()

    def test_says_so_when_a_process_dies(self, pool: KillablePool) -> None:
        with pytest.raises(ProcessDied, match="exit code 3"):
            pool.call("crash", os._exit, 3)
        assert pool.call("next", pow, 2, 3) == 8

    def test_goes_on_however_fast_processes_die(self, pool: KillablePool) -> None:
        for _time in range(15):
            with pytest.raises(ProcessDied, match="its process ended "):
                pool.call("short", os._exit, 3)
        assert pool.call("next", pow, 2, 3) == 8

    def test_starts_no_process_before_it_is_needed(self) -> None:
        pool = KillablePool(1, os.getpid)
        pool.kill("nothing")
        pool.stop()

    @pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent has died")
    def test_dies_with_its_parent(self) -> None:
        command = [sys.executable, "-c", PARENT]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
            assert parent.stdout is not None
            child = int(parent.stdout.readline())
            assert psutil.pid_exists(child)
            parent.kill()
        deadline = time.monotonic() + 10
        while psutil.pid_exists(child):
            assert time.monotonic() < deadline, "the process has outlived its parent"
            time.sleep(0.02)
