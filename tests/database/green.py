"""Programs whose threads are gevent's green ones, in a process of their own: there is no way back from patching."""

import subprocess
import sys

from tests.e2e.server import ROOT

GREEN = "from gevent import joinall, monkey, spawn\n\nmonkey.patch_all()\n"
"""How such a program begins."""

SECONDS = 60


def run_green(program: str, *arguments: str) -> str:
    """Run a program and return what it printed; it has to end well and complain about nothing."""
    done = subprocess.run(
        [sys.executable, "-c", GREEN + program, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout
