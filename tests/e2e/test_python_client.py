"""Generate a Python client from the served document, check a program against it, and run it."""

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
import requests

from tests.e2e.conftest import Shared
from tests.e2e.server import PASSWORD, ROOT, Server

PROGRAMS = ROOT / "tests" / "clients"
BIN = Path(sys.executable).parent

CONFIG = '{"content_type_overrides": {"*/*": "application/octet-stream", "image/webp": "application/octet-stream"}}'
"""What is bytes and neither JSON nor text; of itself the generator knows one type of them alone."""


@pytest.fixture(scope="module")
def served(shared: Shared) -> Server:
    """Return a server with an admin."""
    return shared("gevent")


@pytest.fixture(scope="module", params=["v1", "v2"])
def generated(request: pytest.FixtureRequest, served: Server, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the generated package `redprint_client`; any warning of the generator fails."""
    folder = tmp_path_factory.mktemp("client")
    document = requests.get(f"{served.url}/api/{request.param}/openapi.json", timeout=10)
    (folder / "openapi.json").write_bytes(document.content)
    (folder / "config.json").write_text(CONFIG, encoding="utf-8")
    result = run(
        [BIN / "openapi-python-client", "generate", "--path", "openapi.json", "--meta", "none", "--fail-on-warning"]
        + ["--config", "config.json", "--output-path", "redprint_client"],
        folder,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    (folder / "program.py").write_text((PROGRAMS / f"program_{request.param}.py").read_text(), encoding="utf-8")
    return folder


def run(command: Sequence[object], folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        list(map(str, command)),
        cwd=folder,
        env={**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", **environment},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )


def mypy(folder: Path, *files: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--follow-imports=silent", *files]
    return run(command, folder)


class TestProgram:
    def test_works_against_the_server(self, generated: Path, served: Server) -> None:
        result = run([sys.executable, "program.py"], generated, BASE=served.url, PASSWORD=PASSWORD)
        assert result.returncode == 0, result.stderr

    def test_has_the_right_types(self, generated: Path) -> None:
        result = mypy(generated, "program.py")
        assert result.returncode == 0, result.stdout

    def test_is_refused_with_a_misspelt_field(self, generated: Path) -> None:
        program = (generated / "program.py").read_text(encoding="utf-8")
        misspelt = program.replace("TagIn(name=", "TagIn(nmae=").replace(".data.title ==", ".data.titel ==")
        (generated / "misspelt.py").write_text(misspelt, encoding="utf-8")
        result = mypy(generated, "misspelt.py")
        assert result.returncode == 1
        assert re.search(r'Unexpected keyword argument "nmae" for "TagIn"', result.stdout)
        assert re.search(r'"BlogOut\w*" has no attribute "titel"', result.stdout)
