"""Keep a child process alive beside a server: one a host, never without its parent.

The child is a fresh interpreter, so it inherits no monkey patch. Its standard input is a pipe: a byte wakes it, the end
of it (also by the parent's sudden death) asks it to stop. One that is still loading has nothing to finish: the signal
that follows ends it.
"""

import ctypes
import fcntl
import logging
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from socket import socketpair
from time import monotonic
from types import FrameType
from typing import Self

LOOK_SECONDS = 0.2
"""How often the supervisor looks after its child."""

SOUND_SECONDS = 2.0
"""A child that lived longer than this was well; its end is no reason to wait before the next one."""

QUICK_RESTARTS = 4
"""Children that may die young in a row before the supervisor begins to wait."""

LONGEST_DELAY_SECONDS = 30.0

PARENT_SECONDS = 1.0
"""How often the child looks whether its parent is still there."""

_PR_SET_PDEATHSIG = 1  # linux/prctl.h

_LOG = logging.getLogger(__name__)


class HostLock:
    """Be held by one process of this machine; the system gives it back when that process ends, however it ends."""

    def __init__(self, path: Path) -> None:
        """Name the lock; nothing is taken yet."""
        self._path = path
        self._descriptor: int | None = None

    def take(self) -> bool:
        """Take the lock, or tell that another process has it."""
        if self._descriptor is not None:
            return True
        self._path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        with suppress(OSError):  # held by another, or that one has just removed the file
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(descriptor), self._path.stat()):
                self._descriptor = descriptor
                return True
        os.close(descriptor)
        return False

    def release(self) -> None:
        """Let another process have it, and leave no file behind."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            self._path.unlink(missing_ok=True)
            os.close(descriptor)


class Supervisor:
    """Start the command again whenever it ends, in the process of this host that has the lock.

    `sleep` is the one of the server's async mode. `run` is called in a background task, and all is done by that task,
    because a child's death signal is bound to the thread that started it.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        directory: Path,
        environment: Mapping[str, str],
        lock: HostLock,
        sleep: Callable[[float], object],
        grace_seconds: float,
    ) -> None:
        """Prepare; start nothing."""
        self._command = [*command, "--parent", str(os.getpid())]
        self._directory = directory
        self._environment = dict(environment)
        self._lock = lock
        self._sleep = sleep
        self._grace_seconds = grace_seconds
        self._child: subprocess.Popen[bytes] | None = None
        self._pipe: int | None = None
        self._started_at = 0.0
        self._start_at = 0.0
        self._young_deaths = 0
        self._stopping = False
        self._ended = False

    def run(self, stopping: Callable[[], bool]) -> None:
        """Look after the child until `stopping()` or `stop`; then end it."""
        try:
            while not (self._stopping or stopping()):
                try:
                    self._look()
                except OSError:
                    _LOG.exception("%s cannot be looked after; trying again", self._name)
                    self._start_at = monotonic() + LONGEST_DELAY_SECONDS
                self._sleep(LOOK_SECONDS)
            self._end()
        finally:
            self._lock.release()
            self._ended = True

    def nudge(self) -> None:
        """Wake the child, where this process has one."""
        if self._pipe is not None:
            with suppress(OSError):  # full: it has not read the last ones yet; broken: it has just died
                os.write(self._pipe, b"\n")

    def stop(self) -> None:
        """End the child and wait until it has ended."""
        self._stopping = True
        deadline = monotonic() + self._grace_seconds + 2 * SOUND_SECONDS
        while not self._ended and monotonic() < deadline:
            self._sleep(LOOK_SECONDS / 4)

    @property
    def _name(self) -> str:
        return f"The process `{' '.join(self._command[1:-2])}`"

    def _look(self) -> None:
        if self._child is None:
            if monotonic() >= self._start_at and self._lock.take():
                self._start()
        elif self._child.poll() is not None:
            self._mourn(self._child.returncode)

    def _start(self) -> None:
        theirs, ours = os.pipe()
        os.set_blocking(ours, False)
        try:
            self._child = subprocess.Popen(
                self._command,
                cwd=self._directory,
                env=self._environment,
                stdin=theirs,
                start_new_session=True,  # Ctrl-C in the terminal is for the server, which then asks the child to stop
            )
        except BaseException:
            os.close(ours)
            raise
        finally:
            os.close(theirs)
        self._pipe = ours
        self._started_at = monotonic()
        _LOG.info("%s has started (pid %d)", self._name, self._child.pid)

    def _mourn(self, code: int) -> None:
        lived = monotonic() - self._started_at
        self._young_deaths = self._young_deaths + 1 if lived < SOUND_SECONDS else 0
        delay = delay_after(self._young_deaths)
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with {code}"
        _LOG.error("%s %s after %.1f s; starting it again in %.0f s", self._name, how, lived, delay)
        self._start_at = monotonic() + delay
        self._forget()

    def _forget(self) -> None:
        self._child = None
        pipe, self._pipe = self._pipe, None
        if pipe is not None:
            os.close(pipe)

    def _end(self) -> None:
        child = self._child
        if child is None:
            return
        if self._pipe is not None:
            os.close(self._pipe)
            self._pipe = None
            self._sleep(LOOK_SECONDS / 4)  # gevent closes it in its next round
        child.terminate()  # ends it at once before it has `Orders`; afterwards it says the same as the pipe's end
        deadline = monotonic() + self._grace_seconds
        while child.poll() is None and monotonic() < deadline:
            self._sleep(LOOK_SECONDS / 4)
        if child.poll() is None:
            _LOG.warning("%s did not end within %.0f s and is killed", self._name, self._grace_seconds)
            child.kill()
            child.wait()
        self._forget()


def delay_after(young_deaths: int) -> float:
    """Return how many seconds to wait after so many children in a row that died young."""
    beyond = young_deaths - QUICK_RESTARTS
    return 0.0 if beyond <= 0 else min(LONGEST_DELAY_SECONDS, 2.0 ** (beyond - 1))


def bind_child(arguments: Sequence[str]) -> None:
    """Let this process die with the parent that its arguments name, if any, from now on; end it if that is gone.

    To be called before the application is loaded, which takes seconds.
    """
    if "--parent" in arguments[1:-1]:
        parent = arguments[arguments.index("--parent") + 1]
        if parent.isdecimal() and not die_with(int(parent)):
            raise SystemExit


def die_with(parent: int) -> bool:
    """Ask the system to kill this process when its parent dies; tell whether the parent still lives.

    Only Linux can; elsewhere the end of the standard input and `Orders` do.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    return os.getppid() == parent


class Orders:
    """Wait for what the parent, a signal or the terminal wants of this process; for its main thread.

    Within the block no SIGTERM or SIGINT ends the process; where nobody supervises it, the second one does.
    """

    def __init__(self, stdin: int | None, parent: int | None) -> None:
        """Listen to `stdin` where a supervisor holds the other end, and to SIGTERM and SIGINT in any case."""
        self._stdin = stdin
        self._parent = parent

    def __enter__(self) -> Self:
        """Turn SIGTERM and SIGINT into a readable descriptor."""
        self._reader, self._writer = socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)
        self._before = {number: signal.signal(number, _note) for number in (signal.SIGTERM, signal.SIGINT)}
        self._old = signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        return self

    def __exit__(self, *_error: object) -> None:
        """Let the signals act as they did."""
        self._restore()
        self._reader.close()
        self._writer.close()

    def wait(self, woken: Callable[[], object]) -> str:
        """Call `woken` for each nudge; return, in words, why to stop."""
        reason = None
        watched = [self._reader.fileno(), *([] if self._stdin is None else [self._stdin])]
        while reason is None:
            readable, _, _ = select.select(watched, [], [], PARENT_SECONDS)
            reason = self._reason(readable)
            if reason is None and readable:
                woken()
        if self._stdin is None:
            self._restore()
        return reason

    def _reason(self, readable: Sequence[int]) -> str | None:
        if self._stdin in readable and self._has_ended():
            return "the server stops"
        if self._reader.fileno() in readable:
            if self._has_ended():  # nudges may stand before the end
                return "the server stops"
            return f"signal {signal.Signals(self._reader.recv(1)[0]).name}"
        if self._parent is not None and os.getppid() != self._parent:
            return "the server has died"
        return None

    def _has_ended(self) -> bool:
        """Tell whether the parent has closed the standard input; what it has written there is read."""
        while self._stdin is not None and select.select([self._stdin], [], [], 0)[0]:
            if not os.read(self._stdin, 4096):
                return True
        return False

    def _restore(self) -> None:
        signal.set_wakeup_fd(self._old)
        for number, handler in self._before.items():
            signal.signal(number, handler)


def _note(_number: int, _frame: FrameType | None) -> None:
    """Do nothing: that a handler exists is what makes the signal readable."""
