"""Tell how much memory this machine has left, and how much this process uses."""

import re
import resource
import sys
from contextlib import suppress
from pathlib import Path

import psutil

_PEAK = re.compile(r"VmHWM:\s+(\d+) kB")


def available_mb() -> float:
    """Return how many megabytes programs can have without swapping, as psutil.virtual_memory estimates it."""
    return float(psutil.virtual_memory().available) / 1_000_000


def used_bytes() -> int:
    """Return the resident memory of this process."""
    return int(psutil.Process().memory_info().rss)


def reset_peak() -> None:
    """Begin to look for the peak anew, where the system can (proc(5), clear_refs)."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def peak_bytes() -> int:
    """Return the most resident memory that this process had, since `reset_peak` on Linux, else since its start."""
    with suppress(OSError):
        found = _PEAK.search(Path("/proc/self/status").read_text())
        if found:
            return int(found[1]) * 1024
    unit = 1 if sys.platform == "darwin" else 1024  # getrusage(2) of macOS counts bytes
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
