"""Run the Node tools that are locked in tests/clients."""

import os
import subprocess
from functools import cache
from pathlib import Path

from application.cli.dashboard import BuildFailed, Node, alone, find_node, install_packages
from tests.services import missing

CLIENTS = Path(__file__).parents[1] / "clients"
MODULES = CLIENTS / "node_modules"
SECONDS = 110  # less than a test may take


@cache
def tools() -> Node:
    """Find a Node and install the locked packages, once a run; skip the test with the cure where that fails."""
    try:
        node = find_node()
        with alone(CLIENTS):
            install_packages(node, CLIENTS)
    except BuildFailed as reason:
        missing("Node with the packages of tests/clients", reason.message)
    return node


def run_node(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a script by Node."""
    node = tools()
    return subprocess.run(
        [str(node.node), *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, "PATH": node.path, "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
