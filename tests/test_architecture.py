"""House rules that linters cannot say (a rule that is not checked is no rule)."""

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import grimp
import pytest
from flask import Flask

from application.libs.error import Refusal
from application.libs.redprint import Mounted, machinery
from application.libs.view import implied_errors

ROOT = Path(__file__).parents[1]
APPLICATION = ROOT / "application"
MAX_LINES = 400
MAX_SUPPRESSIONS = 10

RAW_VIEWS = {"v1.openapi"}
"""Rules under a surface that are no operations: the document itself."""

OPEN_TO_EVERY_CALLER = {"v1.auth.logout"}
"""Changing operations that ask for no permission: everybody may sign out."""

TESTED_TOGETHER = {
    "config/choice.py": "tests/config/test_setting.py",
    "api/__init__.py": "tests/contract",
    "api/v1.py": "tests/contract",
    "database/base.py": "tests/database/test_unit.py",
    "extensions.py": "tests/e2e/test_server.py",
}
"""Files whose tests do not stand in their mirror image."""


def _sources(folder: Path = APPLICATION) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*.py")) if "static" not in path.parts)


def _mounted(app: Flask) -> list[Mounted]:
    mounted: list[Mounted] = machinery(app).mounted
    return mounted


class TestApi:
    def test_every_rule_has_an_operation(self, app: Flask) -> None:
        prefixes = tuple(f"{surface.url_prefix}/" for surface in machinery(app).surfaces)
        served = {rule.endpoint for rule in app.url_map.iter_rules() if f"{rule.rule}/".startswith(prefixes)}
        assert served - {item.endpoint for item in _mounted(app)} == RAW_VIEWS

    def test_every_changing_operation_declares_access(self, app: Flask) -> None:
        undeclared = {
            item.endpoint
            for item in _mounted(app)
            if item.operation.changes and not item.operation.permission and not item.operation.public
        }
        assert undeclared == OPEN_TO_EVERY_CALLER

    def test_every_error_of_a_module_is_declared_by_an_operation(self, app: Flask) -> None:
        declared = {error for item in _mounted(app) for error in item.operation.errors}
        declared |= {error for item in _mounted(app) for error in implied_errors(item.operation)}
        ours = {error for error in _subclasses(Refusal) if error.__module__.startswith("application.modules.")}
        assert ours - declared == set()


def _subclasses(family: type[Refusal]) -> Iterator[type[Refusal]]:
    for error in family.__subclasses__():
        yield error
        yield from _subclasses(error)


class TestSources:
    def test_stay_below_400_lines(self) -> None:
        files = [*_sources(), *_sources(ROOT / "tests"), *ROOT.glob("*.py")]
        long = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in files}
        assert {path: lines for path, lines in long.items() if lines > MAX_LINES} == {}

    def test_suppress_checks_at_most_ten_times_each_with_a_code_and_a_reason(self) -> None:
        pattern = re.compile(r"#\s*(?:noqa|type:\s*ignore|pragma:\s*no cover)(.*)")
        found = [
            (path.relative_to(ROOT), match[1])
            for path in [*_sources(), *_sources(ROOT / "tests"), *ROOT.glob("*.py")]
            if path != Path(__file__)
            for match in pattern.finditer(path.read_text())
        ]
        assert len(found) <= MAX_SUPPRESSIONS, found
        unexplained = [item for item in found if not re.match(r"(\[[\w-]+\]|: [A-Z]+\d+)\s+(#|--) \w", item[1])]
        assert unexplained == []

    def test_commit_only_in_the_unit_of_work(self) -> None:
        commits = [
            str(path.relative_to(APPLICATION))
            for path in _sources()
            if re.search(r"\.(commit|rollback)\(|(engine|connection|session)\.begin\(", path.read_text())
        ]
        assert commits == ["database/unit.py"]

    def test_have_no_circle(self) -> None:
        graph = grimp.build_graph("application", cache_dir=None)
        circles = {
            tuple(sorted((module, other)))
            for module in graph.modules
            for other in graph.find_modules_directly_imported_by(module)
            if graph.chain_exists(importer=other, imported=module)
        }
        assert circles == set()

    def test_each_have_tests(self) -> None:
        untested = []
        for path in _sources():
            relative = path.relative_to(APPLICATION)
            mirror = ROOT / "tests" / relative.parent / f"test_{relative.name}"
            elsewhere = TESTED_TOGETHER.get(str(relative))
            if mirror.exists() or _only_speaks(path) or (elsewhere and (ROOT / elsewhere).exists()):
                continue
            untested.append(str(relative))
        assert untested == []


def _only_speaks(path: Path) -> bool:
    """Tell whether a file has nothing to test: tables, a wire format, a docstring or names passed on."""
    body = ast.parse(path.read_text()).body
    imports_only = all(isinstance(node, ast.ImportFrom | ast.Expr | ast.Assign) for node in body)
    return path.name in {"models.py", "schemas.py"} or (path.name == "__init__.py" and imports_only)


class TestImport:
    def test_starts_nothing_with_an_empty_environment(self, tmp_path: Path) -> None:
        program = """
import importlib, json, os, pkgutil, sys, threading
sys.path.insert(0, sys.argv[1])
import application
before = set(os.listdir('/proc/self/fd')) if os.path.isdir('/proc/self/fd') else set()
green = ('application.libs.eventlet_worker',)
names = [m.name for m in pkgutil.walk_packages(application.__path__, 'application.') if m.name not in green]
for name in names:
    importlib.import_module(name)
after = set(os.listdir('/proc/self/fd')) if before else set()
from flask import Flask
print(json.dumps({'modules': len(names), 'threads': threading.active_count(), 'opened': len(after - before)}))
"""
        before = {path.name for path in (*ROOT.iterdir(), *(ROOT / "logs").iterdir())}
        result = subprocess.run(
            [sys.executable, "-c", program, str(ROOT)], cwd=tmp_path, env={}, capture_output=True, text=True, check=True
        )
        found = json.loads(result.stdout)
        assert found["modules"] > 40
        assert (found["threads"], found["opened"]) == (1, 0)
        assert list(tmp_path.iterdir()) == []
        assert {path.name for path in (*ROOT.iterdir(), *(ROOT / "logs").iterdir())} <= before

    def test_finds_every_contract_of_the_layers_kept(self) -> None:
        result = subprocess.run(
            [Path(sys.executable).parent / "lint-imports"],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 0, result.stdout


class TestDocument:
    @pytest.fixture
    def committed(self) -> dict[str, object]:
        document: dict[str, object] = json.loads((ROOT / "docs" / "openapi.json").read_text())
        return document

    def test_is_committed_as_it_is_served(self, app: Flask, committed: dict[str, object]) -> None:
        assert app.test_client().get("/api/v1/openapi.json").json == committed, "run `make openapi`"
