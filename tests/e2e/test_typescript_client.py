"""Generate TypeScript types from the served document, check programs against them, and run the right one."""

import re
import shutil
from pathlib import Path

import pytest
import requests

from tests.e2e.conftest import Shared
from tests.e2e.node import CLIENTS, MODULES, run_node
from tests.e2e.server import PASSWORD, Server


@pytest.fixture(scope="module")
def served(shared: Shared) -> Server:
    """Return a server with an admin."""
    return shared("gevent")


def generate(served: Server, version: str, folder: Path) -> str:
    """Write the types of a version's document to `schema.d.ts`, and return what the generator said."""
    document = requests.get(f"{served.url}/api/{version}/openapi.json", timeout=10)
    (folder / "openapi.json").write_bytes(document.content)
    generator = MODULES / "openapi-typescript" / "bin" / "cli.js"
    # else a field that may be left out because it has a default would have to be given
    options = ("--default-non-nullable", "false", "--output", "schema.d.ts")
    result = run_node(generator, "openapi.json", *options, cwd=folder)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout + result.stderr


def compile_with(folder: Path, file: str) -> tuple[int, str]:
    """Compile a program as strictly as can be; return the exit code and what the compiler says."""
    options = ("--project", "tsconfig.json", "--outDir", "compiled")
    result = run_node(MODULES / "typescript" / "bin" / "tsc", *options, cwd=_project(folder, file))
    return result.returncode, result.stdout


def _project(folder: Path, file: str) -> Path:
    """Lay out a package that holds one program beside the types."""
    settings = (CLIENTS / "tsconfig.json").read_text(encoding="utf-8")
    (folder / "tsconfig.json").write_text(settings.rstrip().removesuffix("}") + f', "files": ["{file}"]}}', "utf-8")
    (folder / "package.json").write_text('{"type": "module"}', encoding="utf-8")
    if not (folder / "node_modules").exists():
        (folder / "node_modules").symlink_to(MODULES)
    shutil.copy(CLIENTS / file, folder)
    return folder


@pytest.fixture(scope="module")
def typed(served: Server, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the types of version 1."""
    folder = tmp_path_factory.mktemp("typescript")
    generate(served, "v1", folder)
    return folder


class TestTypes:
    @pytest.mark.parametrize("version", ["v1", "v2"])
    def test_are_generated_without_a_warning(self, served: Server, tmp_path: Path, version: str) -> None:
        said = generate(served, version, tmp_path)
        assert not re.search(r"warn|error|⚠|✘", said, re.IGNORECASE), said
        assert f'"/api/{version}/blog": {{' in (tmp_path / "schema.d.ts").read_text(encoding="utf-8")


class TestProgram:
    def test_compiles_and_works_against_the_server(
        self, typed: Path, served: Server, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert compile_with(typed, "program.ts") == (0, "")
        monkeypatch.setenv("BASE", served.url)
        monkeypatch.setenv("PASSWORD", PASSWORD)
        result = run_node("compiled/program.js", cwd=typed)
        assert result.returncode == 0, result.stderr

    def test_does_not_compile_where_it_is_wrong(self, typed: Path) -> None:
        lines = (CLIENTS / "misspelt.ts").read_text(encoding="utf-8").splitlines()
        wrong = {number for number, line in enumerate(lines, 1) if line.endswith("// wrong")}
        code, said = compile_with(typed, "misspelt.ts")
        assert code != 0
        assert {int(number) for number in re.findall(r"^misspelt\.ts\((\d+),", said, re.MULTILINE)} == wrong, said
        assert "'nmae'" in said
        assert "'titel'" in said
