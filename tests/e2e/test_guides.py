"""The guides' examples, run as they are printed against a real server."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.conftest import Serve
from tests.e2e.server import PASSWORD

GUIDES = Path(__file__).parents[2] / "docs" / "guides"
NAMES = (
    "access.md",
    "api.md",
    "audit.md",
    "files.md",
    "keys.md",
    "messages.md",
    "scheduler.md",
    "signing-in.md",
    "tasks.md",
)


def examples(guide: str) -> dict[str, tuple[str, str | None]]:
    """Return a guide's examples by their names, each with what it prints if that is told."""
    text = (GUIDES / guide).read_text(encoding="utf-8")
    pattern = r"<!-- example: ([\w-]+) -->\n```bash\n(.*?)```(?:\n<!-- prints -->\n```\w+\n(.*?)```)?"
    return {name: (code, printed or None) for name, code, printed in re.findall(pattern, text, re.DOTALL)}


@pytest.mark.parametrize("guide", NAMES)
class TestGuide:
    def test_examples_print_what_they_say(self, server: Serve, guide: str) -> None:
        served = server(async_mode="gevent")
        assert served.manage("create-admin").returncode == 0
        served.await_runner()
        found = examples(guide)
        begin, _nothing = found["begin"]
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        for name, (code, printed) in [*found.items()] * 2:  # a reader may repeat them
            result = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", code if name == "begin" else f"{begin}\n{code}"],
                env={**os.environ, "PATH": path, "BASE": served.url, "ADMIN_PASSWORD": PASSWORD},
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
            assert result.returncode == 0, f"{name}: {result.stderr}"
            assert printed is None or result.stdout == printed, f"{name}: {result.stdout}"

    def test_every_block_of_the_shell_is_an_example(self, guide: str) -> None:
        blocks = re.findall(r"```bash\n", (GUIDES / guide).read_text(encoding="utf-8"))
        assert len(blocks) == len(examples(guide))
        assert len(blocks) >= 2
