"""Append whole lines to a file that several processes share, and rotate it without losing one.

A line is one `write` to a descriptor opened with O_APPEND, which the kernel keeps whole. Rotation renames the file
under a lock; the other processes notice the new inode, by size and by time, and until then write to the renamed file.
"""

import fcntl
import json
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic

CHECK_SECONDS = 1.0
"""How long a process may keep writing to a file that was renamed."""

LARGEST_STRIDE = 65_536
"""Bytes a process writes between two looks at the file's size."""

FILE_MODE = 0o640

_MARK = re.compile(r"""[ "'\\=]""")


class LogFile:
    """Write lines to `path`; `max_bytes` is exceeded by a sixteenth for each process at most."""

    def __init__(self, path: Path, *, max_bytes: int, backups: int) -> None:
        self.path = path
        self._max_bytes = max_bytes
        self._backups = backups
        self._stride = min(LARGEST_STRIDE, max_bytes // 16)
        self._unchecked = 0
        self._check_at = 0.0
        self._torn = False
        path.parent.mkdir(parents=True, exist_ok=True)
        self._descriptor = self._open()

    def write(self, line: bytes) -> None:
        """Append a line that ends in a newline; never raises: what the disk refuses goes to the standard error."""
        self._unchecked += len(line)
        if self._unchecked >= self._stride or monotonic() >= self._check_at:
            self._check()
        if self._torn:
            line = b"\n" + line
        try:
            written = os.write(self._descriptor, line)
        except OSError:
            written = 0
        if written != len(line):
            self._refused(line, written)
        elif self._torn:
            self._torn = False

    def close(self) -> None:
        """Close the file; later lines go to the standard error."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def _refused(self, line: bytes, written: int) -> None:
        self._torn = self._torn or written > 0
        with suppress(OSError, ValueError):
            sys.stderr.write(line.decode("utf-8", errors="backslashreplace"))

    def _open(self) -> int:
        return os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, FILE_MODE)

    def _reopen(self) -> None:
        """Put the new file under the old number, so that no other thread is left with a closed one."""
        fresh = self._open()
        try:
            os.dup2(fresh, self._descriptor, inheritable=False)
        finally:
            os.close(fresh)

    def _check(self) -> None:
        self._unchecked = 0
        self._check_at = monotonic() + CHECK_SECONDS
        if self._descriptor < 0:
            return
        with suppress(OSError):  # a full or unwritable directory: keep the open file
            if self._is_replaced():
                self._reopen()
            elif self._is_full():
                self._rotate()

    def _is_replaced(self) -> bool:
        mine = os.fstat(self._descriptor)
        try:
            there = self.path.stat()
        except FileNotFoundError:
            return True
        return (mine.st_ino, mine.st_dev) != (there.st_ino, there.st_dev)

    def _is_full(self) -> bool:
        return os.fstat(self._descriptor).st_size >= self._max_bytes

    def _rotate(self) -> None:
        with self._lock():
            if not self._is_replaced() and self._is_full():  # else another process was first
                for number in range(self._backups - 1, 0, -1):
                    with suppress(FileNotFoundError):
                        self._backup(number).rename(self._backup(number + 1))
                self.path.rename(self._backup(1))
            self._reopen()

    def _backup(self, number: int) -> Path:
        return self.path.with_name(f"{self.path.name}.{number}")

    @contextmanager
    def _lock(self) -> Iterator[None]:
        lock = os.open(self.path.with_name(f".{self.path.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE_MODE)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)


def escaped(text: str) -> str:
    """Write control characters, line separators and direction marks as escapes, so that the text stays one line."""
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else _escape(character) for character in text)


def _escape(character: str) -> str:
    return json.dumps(character)[1:-1] if character != "\x7f" else "\\u007f"


def word(text: str) -> str:
    """Write text as one word of a line: in quotes where it holds a space, a quote or nothing."""
    if text and text.isprintable() and _MARK.search(text) is None:
        return text
    quoted = escaped(text.replace("\\", "\\\\").replace('"', '\\"'))
    return f'"{quoted}"'
