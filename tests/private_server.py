"""Run a database server of the test's own: what it does to be killed and started again, whichever it is."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from tests.port import free_port

START_SECONDS = 60
_END_SECONDS = 30


class PrivateServer(ABC):
    """A server on a port and in a folder of its own; what it has committed outlives `kill` and `start`.

    Database servers refuse to be root: then they run as `account`, to whom the folder belongs.
    """

    account: str
    url: str

    def __init__(self) -> None:
        """Choose a port and a folder, and lay the database out; nothing runs yet."""
        self.port = free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="redprint-"))  # not pytest's, which only its user may enter
        self._identity: dict[str, Any] = {}
        if os.geteuid() == 0:
            user = pwd.getpwnam(self.account)
            os.chown(self.folder, user.pw_uid, user.pw_gid)
            self._identity = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        self._process: subprocess.Popen[bytes] | None = None
        try:
            self._run(self._layout())
        except BaseException:
            shutil.rmtree(self.folder)
            raise

    def start(self) -> Self:
        """Start it, also again, and wait until it answers; one that was killed has to recover first."""
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            assert time.monotonic() < deadline, f"the server does not start: {self._said()}"
            if self._process is None or self._process.poll() is not None:  # what a killed one leaves may be in the way
                self._process = self._spawn(self._command())
            time.sleep(0.05)
        return self

    def kill(self, number: int = signal.SIGKILL) -> None:
        """End it at once, by a signal that leaves no time to tidy up; what was not committed is lost."""
        assert self._process is not None
        self._process.send_signal(number)
        self._process.wait(_END_SECONDS)

    def remove(self) -> None:
        """End it and leave nothing behind."""
        if self._process is not None and self._process.poll() is None:
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)  # the last processes of a killed one may still write

    @abstractmethod
    def _layout(self) -> Sequence[str]:
        """Return the command that lays the database out."""

    @abstractmethod
    def _command(self) -> Sequence[str]:
        """Return the command that is the server, whose process is the one to kill."""

    def _answers(self) -> bool:
        engine = create_engine(self.url, connect_args={"connect_timeout": 2})
        try:
            with engine.connect() as connection:
                connection.execute(text("SELECT 1"))
        except OperationalError:
            return False
        else:
            return True
        finally:
            engine.dispose()

    def _run(self, command: Sequence[str]) -> None:
        process = self._spawn(command)
        assert process.wait(START_SECONDS) == 0, f"{command[0]} failed: {self._said()}"

    def _spawn(self, command: Sequence[str]) -> "subprocess.Popen[bytes]":
        with self._log.open("ab") as log:
            return subprocess.Popen(
                command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **self._identity
            )

    @property
    def _log(self) -> Path:
        return self.folder / "log.txt"

    def _said(self) -> str:
        return self._log.read_text(errors="replace")[-3000:]
