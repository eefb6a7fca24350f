"""Keeping a child process alive, with real processes."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import psutil
import pytest

from application.libs.supervisor import (
    LONGEST_DELAY_SECONDS,
    QUICK_RESTARTS,
    HostLock,
    Orders,
    Supervisor,
    bind_child,
    delay_after,
)
from tests.waiting import wait_until

CHILD = """
    import os, signal, sys
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # as one that has `Orders`
    notes = open(sys.argv[1], "a", buffering=1)
    notes.write(f"start {os.getpid()} {os.environ.get('MARK')}\\n")
    while read := os.read(0, 100):
        notes.write(f"woken {len(read)}\\n")
    notes.write("end\\n")
"""


class Supervised:
    """A supervisor in a thread, and the notes of its children."""

    def __init__(self, folder: Path, code: str = CHILD, *, grace_seconds: float = 5) -> None:
        self.notes = folder / f"notes-{time.monotonic_ns()}"
        self.notes.touch()
        self.supervisor = Supervisor(
            [sys.executable, "-c", dedent(code), str(self.notes)],
            directory=folder,
            environment={"MARK": "chosen"},
            lock=HostLock(folder / "instance" / "child.lock"),
            sleep=time.sleep,
            grace_seconds=grace_seconds,
        )
        self.thread = threading.Thread(target=self.supervisor.run, args=(lambda: False,))
        self.thread.start()

    def lines(self, start: str = "") -> list[str]:
        return [line for line in self.notes.read_text().splitlines() if line.startswith(start)]

    def child(self, number: int = 0) -> int:
        """Wait for the start of a child and return its pid."""
        wait_until(lambda: len(self.lines("start")) > number)
        return int(self.lines("start")[number].split()[1])

    def stop(self) -> None:
        self.supervisor.stop()
        self.thread.join(10)
        assert not self.thread.is_alive()


@pytest.fixture
def supervised(tmp_path: Path) -> Iterator[Supervised]:
    made = Supervised(tmp_path)
    yield made
    made.stop()


class TestSupervisor:
    def test_starts_the_command_with_the_environment_it_was_given(self, supervised: Supervised) -> None:
        supervised.child()
        assert supervised.lines()[0].endswith(" chosen")

    @pytest.mark.timed
    def test_starts_it_again_when_it_was_killed(self, supervised: Supervised, caplog: pytest.LogCaptureFixture) -> None:
        os.kill(supervised.child(), signal.SIGKILL)
        killed_at = time.monotonic()
        supervised.child(1)
        assert time.monotonic() - killed_at < 1
        assert "was killed by SIGKILL" in caplog.text

    def test_wakes_it(self, supervised: Supervised) -> None:
        supervised.child()

        def woken() -> list[str]:
            supervised.supervisor.nudge()  # the first may come before the supervisor holds the pipe
            return supervised.lines("woken")

        wait_until(woken)

    @pytest.mark.timed
    def test_never_waits_to_wake_it(self, supervised: Supervised) -> None:
        os.kill(supervised.child(), signal.SIGSTOP)
        started_at = time.monotonic()
        for _ in range(70_000):  # more than a pipe holds
            supervised.supervisor.nudge()
        assert time.monotonic() - started_at < 5
        os.kill(supervised.child(), signal.SIGCONT)

    def test_wakes_nobody_while_there_is_none(self, tmp_path: Path) -> None:
        stopped = Supervised(tmp_path)
        stopped.stop()
        stopped.supervisor.nudge()

    def test_asks_it_to_end_by_closing_its_input(self, tmp_path: Path) -> None:
        asked = Supervised(tmp_path)
        pid = asked.child()
        asked.stop()
        assert asked.lines()[-1] == "end"
        assert not psutil.pid_exists(pid)

    @pytest.mark.timed
    def test_ends_one_that_is_still_loading_at_once(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        code = "    signal.signal(signal.SIGTERM, signal.SIG_DFL)\n    import time; time.sleep(60)\n"
        loading = Supervised(tmp_path, CHILD.replace("    while read", f"{code}    while read"))
        pid = loading.child()
        started_at = time.monotonic()
        loading.stop()
        assert time.monotonic() - started_at < 2
        assert not psutil.pid_exists(pid)
        assert "is killed" not in caplog.text

    @pytest.mark.timed
    def test_kills_it_when_it_does_not_end(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        code = CHILD + "    import time; time.sleep(60)"
        deaf = Supervised(tmp_path, code, grace_seconds=0.5)
        pid = deaf.child()
        started_at = time.monotonic()
        deaf.stop()
        assert time.monotonic() - started_at < 3
        assert not psutil.pid_exists(pid)
        assert "is killed" in caplog.text

    def test_leaves_it_to_the_one_that_has_the_lock(self, supervised: Supervised, tmp_path: Path) -> None:
        supervised.child()
        second = Supervised(tmp_path)
        time.sleep(0.5)
        assert second.lines() == []
        supervised.stop()
        second.child()
        second.stop()

    def test_waits_longer_and_longer_for_one_that_cannot_live(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        hopeless = Supervised(tmp_path, CHILD.replace("while", "raise SystemExit(3)\n    while"))
        wait_until(lambda: len(hopeless.lines("start")) > QUICK_RESTARTS)
        time.sleep(0.5)
        assert len(hopeless.lines("start")) == QUICK_RESTARTS + 1
        hopeless.stop()
        assert "ended with 3" in caplog.text

    def test_goes_on_when_the_command_cannot_be_started(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        lock = HostLock(tmp_path / "child.lock")
        supervisor = Supervisor(
            [str(tmp_path / "missing")],
            directory=tmp_path,
            environment={},
            lock=lock,
            sleep=time.sleep,
            grace_seconds=1,
        )
        looks = iter([False, False, True])
        supervisor.run(lambda: next(looks))
        assert "cannot be looked after" in caplog.text
        assert HostLock(tmp_path / "child.lock").take()

    @pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's death")
    def test_has_a_child_that_dies_with_it(self) -> None:
        code = """
            import os, subprocess, sys, time
            code = "import sys; from application.libs.supervisor import die_with; print(die_with({}), flush=True)"
            child = subprocess.Popen([sys.executable, "-c", code.format(os.getpid()) + "; import time; time.sleep(60)"])
            print(child.pid, flush=True)
            time.sleep(60)
        """
        with _start(code) as parent:
            assert parent.stdout is not None
            said = {parent.stdout.readline().strip(), parent.stdout.readline().strip()}
            (pid,) = (int(word) for word in said if word.isdigit())
            assert "True" in said
            parent.kill()
        wait_until(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)


class TestDelayAfter:
    def test_is_nothing_at_first(self) -> None:
        assert [delay_after(deaths) for deaths in range(QUICK_RESTARTS + 1)] == [0] * (QUICK_RESTARTS + 1)

    def test_doubles_up_to_a_limit(self) -> None:
        delays = [delay_after(QUICK_RESTARTS + more) for more in (1, 2, 3, 4, 5, 6, 100)]
        assert delays == [1, 2, 4, 8, 16, LONGEST_DELAY_SECONDS, LONGEST_DELAY_SECONDS]


class TestHostLock:
    def test_is_held_by_one(self, tmp_path: Path) -> None:
        first, second = HostLock(tmp_path / "a.lock"), HostLock(tmp_path / "a.lock")
        assert first.take()
        assert first.take()
        assert not second.take()
        first.release()
        first.release()
        assert second.take()
        second.release()
        assert list(tmp_path.iterdir()) == []

    def test_is_not_taken_on_a_file_that_was_removed(self, tmp_path: Path) -> None:
        holders: list[str] = []
        problems: list[str] = []

        def compete(name: str) -> None:
            lock = HostLock(tmp_path / "a.lock")
            for _ in range(300):
                if lock.take():
                    holders.append(name)
                    if holders != [name]:
                        problems.append(f"{holders} at once")
                    holders.remove(name)
                    lock.release()

        threads = [threading.Thread(target=compete, args=(name,)) for name in "abc"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert problems == []

    def test_ends_with_its_process(self, tmp_path: Path) -> None:
        lock = HostLock(tmp_path / "a.lock")
        code = f"""
            import time
            from pathlib import Path
            from application.libs.supervisor import HostLock
            print(HostLock(Path({str(tmp_path / "a.lock")!r})).take(), flush=True)
            time.sleep(60)
        """
        with _start(code) as holder:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "True\n"
            assert not lock.take()
            holder.kill()
        assert lock.take()
        lock.release()


class TestOrders:
    def test_end_with_the_input(self) -> None:
        woken, reason = _order(b"\n\n", end=True)
        assert (woken, reason) == ("woken", "the server stops")

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_end_with_a_signal(self, number: signal.Signals) -> None:
        assert _order(b"\n", end=False, number=number) == ("woken", f"signal {number.name}")

    def test_end_with_the_parent(self) -> None:
        reader, writer = os.pipe()
        try:
            with Orders(reader, parent=1) as orders:
                assert orders.wait(lambda: None) == "the server has died"
        finally:
            os.close(reader)
            os.close(writer)


class TestBindChild:
    def test_ends_a_process_whose_parent_is_gone(self) -> None:
        with pytest.raises(SystemExit):
            bind_child(["manager.py", "runner", "--parent", "1"])

    @pytest.mark.parametrize("arguments", [["manager.py"], ["manager.py", "runner"], ["x", "--parent"]])
    def test_leaves_every_other_process_alone(self, arguments: list[str]) -> None:
        bind_child(arguments)


def _order(sent: bytes, *, end: bool, number: signal.Signals | None = None) -> tuple[str, str]:
    """Run `Orders.wait` in a process of its own; return what it says first and last."""
    code = """
        import os
        from application.libs.supervisor import Orders
        with Orders(0, os.getppid()) as orders:
            print(orders.wait(lambda: print("woken", flush=True)), flush=True)
            os.kill(os.getpid(), 15)  # while what runs is finished, the supervisor may say so again
    """
    with _start(code) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(sent.decode())
        process.stdin.flush()
        woken = process.stdout.readline().strip()
        if end:
            process.stdin.close()
        if number is not None:
            process.send_signal(number)
        reason = process.stdout.read().strip().splitlines()[-1]
    assert process.returncode == 0
    return woken, reason


def _start(code: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", dedent(code)],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
