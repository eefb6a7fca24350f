"""Show where the time of a request goes, asked in this process.

    python -m benchmarks.profiling [--task "GET one"] [--requests 2000]

Writes dist/profile-TASK.html to look at and dist/profile-TASK.txt to read.
"""

import argparse
import logging
from pathlib import Path

from pyinstrument import Profiler

from application.config.setting import ROOT
from benchmarks.driving import ask
from benchmarks.in_process import TASKS, WARM_UP, Task, application

INTERVAL_SECONDS = 0.0001
PAGE_INTERVAL_SECONDS = 0.002
"""Coarser on the page, which is to open in a browser."""


def profile(tasks: list[Task], requests: int, folder: Path) -> list[Path]:
    """Write a profile of each task; return the files."""
    written = []
    folder.mkdir(parents=True, exist_ok=True)
    with application() as app:
        for task in tasks:
            for _time in range(WARM_UP):
                ask(app.wsgi_app, task.ours)
            profiler = Profiler(interval=INTERVAL_SECONDS)
            with profiler:
                for _time in range(requests):
                    ask(app.wsgi_app, task.ours)
            stem = folder / f"profile-{task.title.lower().replace(' + ', '-').replace(' ', '-')}"
            text = profiler.output_text(show_all=True, flat=False) + profiler.output_text(show_all=True, flat=True)
            for suffix, content in (
                (".txt", text),
                (".html", profiler.output_html(resample_interval=PAGE_INTERVAL_SECONDS)),
            ):
                stem.with_suffix(suffix).write_text(content, encoding="utf-8")
                written.append(stem.with_suffix(suffix))
    return written


def main() -> None:
    """Read what to profile."""
    parser = argparse.ArgumentParser(description="Show where the time of a request goes.")
    parser.add_argument("--task", choices=[task.title for task in TASKS], help="one of them; all by default")
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--folder", type=Path, default=ROOT / "dist", help="where the profiles are written")
    asked = parser.parse_args()
    logging.disable(logging.ERROR)
    chosen = [task for task in TASKS if asked.task in (None, task.title)]
    for path in profile(chosen, asked.requests, asked.folder):
        print(path)


if __name__ == "__main__":
    main()
