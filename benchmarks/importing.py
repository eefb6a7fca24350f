"""Measure what importing the application costs, in a process of its own each time."""

import statistics
import subprocess
from dataclasses import dataclass
from pathlib import Path

from application.config.setting import ROOT

TIMES = 5

_MEASURE = """
import time
began = time.perf_counter()
import application.factory
seconds = time.perf_counter() - began
import psutil  # not ru_maxrss, which remembers the memory of whoever started this process
print(seconds, psutil.Process().memory_info().rss / 2**20)
"""


@dataclass(frozen=True)
class Import:
    """Hold how long it took, and how much memory the process then had."""

    seconds: float
    megabytes: float


def measure_import(python: Path, times: int = TIMES) -> Import:
    """Return the medians of so many imports; the first one, which may have to compile, does not count."""
    found = [_once(python) for _time in range(times + 1)][1:]
    return Import(*(statistics.median(side) for side in zip(*found, strict=True)))


def _once(python: Path) -> tuple[float, float]:
    told = subprocess.run([str(python), "-c", _MEASURE], cwd=ROOT, capture_output=True, text=True, check=True)
    seconds, megabytes = told.stdout.split()
    return float(seconds), float(megabytes)
