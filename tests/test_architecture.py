"""House rules that linters cannot say (a rule that is not checked is no rule)."""

import ast
import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import grimp
import pytest
from flask import Flask

from application.libs.error import Refusal
from application.libs.redprint import Mounted, machinery
from application.libs.view import implied_errors

pytestmark = pytest.mark.one_database

ROOT = Path(__file__).parents[1]
APPLICATION = ROOT / "application"
MAX_LINES = 400
MAX_SUPPRESSIONS = 10

RAW_VIEWS = {"v1.openapi", "v2.openapi"}
"""Rules under a surface that are no operations: the document itself."""

OPEN_TO_EVERY_CALLER = {
    f"{version}.{name}"
    for version in ("v1", "v2")
    for name in (
        "auth.change_password",
        "auth.logout",
        "auth.logout_everywhere",
        "contact.create",
        "contact.delete",
        "factor.confirm",
        "factor.offer",
        "factor.renew_codes",
        "factor.turn_off",
        "key.create",
        "key.delete",
        "key.update",
        "session.delete",
    )
}
"""Changing operations that ask for no permission: one has a password, contacts, keys, sessions, a second factor."""

TESTED_TOGETHER = {
    **dict.fromkeys(
        (
            "modules/scheduler/store/database.py",
            "modules/scheduler/store/document.py",
            "modules/scheduler/store/document_store.py",
            "modules/scheduler/store/keeper.py",
            "modules/scheduler/store/making.py",
            "modules/scheduler/store/memory.py",
            "modules/scheduler/store/mongodb.py",
            "modules/scheduler/store/outbox.py",
            "modules/scheduler/store/record.py",
            "modules/scheduler/store/redis.py",
            "modules/scheduler/store/rethinkdb.py",
            "modules/scheduler/store/stores.py",
            "modules/scheduler/store/zookeeper.py",
        ),
        "tests/modules/scheduler/store/test_job_store.py",
    ),
    **dict.fromkeys(
        ("libs/storage/making.py", "libs/storage/place.py", "libs/storage/s3.py", "libs/storage/store.py"),
        "tests/libs/storage/test_storage.py",
    ),
    "modules/file/business/keeping.py": "tests/modules/file/test_direct.py",
    "modules/file/business/record.py": "tests/modules/file/test_endpoints.py",
    "modules/file/tasks.py": "tests/modules/file/business/test_sweeping.py",
    "libs/stored_answer.py": "tests/modules/file/test_endpoints.py",
    "libs/storage/binding.py": "tests/modules/file/test_endpoints.py",
    "libs/disposition.py": "tests/libs/storage/test_storage.py",
    "modules/scheduler/business/copying.py": "tests/modules/scheduler/test_jobstores.py",
    "modules/scheduler/commands.py": "tests/modules/scheduler/test_jobstores.py",
    "modules/code/business/life.py": "tests/modules/code/business/test_using.py",
    "config/choice.py": "tests/config/test_setting.py",
    "config/file_variable.py": "tests/config/test_file_setting.py",
    "api/__init__.py": "tests/contract",
    "api/description.py": "tests/api/test_document.py",
    "api/v1.py": "tests/contract/test_versions.py",
    "api/v2.py": "tests/contract/test_versions.py",
    "database/base.py": "tests/database/test_unit.py",
    "extensions.py": "tests/e2e/test_server.py",
    "libs/page_form.py": "tests/modules/factor/test_pages.py",
    "libs/outgoing.py": "tests/config/test_sender.py",
    "libs/audience.py": "tests/libs/test_sampler.py",
    "libs/guard.py": "tests/contract/test_guard.py",
    "libs/unit_of_work.py": "tests/libs/test_view.py",
    "libs/idempotency.py": "tests/contract/test_idempotency.py",
    "libs/scheduled_job.py": "tests/modules/scheduler/test_steering.py",
    "libs/steering.py": "tests/modules/scheduler/test_steering.py",
    "libs/trigger/handed.py": "tests/modules/scheduler/test_steering.py",
    "modules/scheduler/engine/binding.py": "tests/config/test_scheduler_keys.py",
    "modules/scheduler/engine/operations.py": "tests/modules/scheduler/test_steering.py",
    "libs/respond.py": "tests/contract/test_conditional.py",
    "modules/scheduler/schemas_operation.py": "tests/modules/scheduler/test_endpoints_operation.py",
    "modules/scheduler/schemas_sight.py": "tests/modules/scheduler/test_endpoints_sight.py",
    "modules/scheduler/business/steering.py": "tests/modules/scheduler/business/test_bulk.py",
    "modules/scheduler/business/roster.py": "tests/modules/scheduler/test_endpoints_operation.py",
    "config/task.py": "tests/modules/task/test_endpoints.py",
    "libs/child_application.py": "tests/modules/task/engine/test_engine.py",
    "modules/task/business/steering.py": "tests/modules/task/test_endpoints.py",
    "modules/task/engine/binding.py": "tests/modules/task/engine/test_engine.py",
    "modules/task/engine/child.py": "tests/modules/task/engine/test_engine.py",
    "modules/task/engine/embedded.py": "tests/modules/task/engine/test_engine.py",
    "modules/task/engine/execution.py": "tests/modules/task/engine/test_engine.py",
    "modules/task/tasks.py": "tests/modules/task/business/test_retention.py",
    "modules/scheduler/business/calling.py": "tests/modules/scheduler/engine/test_execution.py",
    "modules/scheduler/business/cancelling.py": "tests/modules/scheduler/engine/test_execution.py",
    "modules/scheduler/business/handing.py": "tests/modules/scheduler/business/test_handed.py",
    "modules/scheduler/business/output_keeper.py": "tests/modules/scheduler/engine/test_child.py",
    "modules/scheduler/engine/firing.py": "tests/modules/scheduler/engine/test_engine.py",
    "modules/task/business/following.py": "tests/modules/scheduler/business/test_handed.py",
    "modules/scheduler/business/output.py": "tests/modules/scheduler/engine/test_execution.py",
    "modules/scheduler/schemas_run.py": "tests/modules/scheduler/test_endpoints_run.py",
    "modules/scheduler/business/quarantine.py": "tests/modules/scheduler/test_endpoints_operation.py",
    "modules/scheduler/tasks.py": "tests/modules/scheduler/business/test_retention.py",
    "modules/scheduler/business/draft.py": "tests/modules/scheduler/test_endpoints_jobs.py",
    "modules/scheduler/business/history.py": "tests/modules/scheduler/test_endpoints_jobs.py",
    "modules/scheduler/business/outcome.py": "tests/modules/scheduler/business/test_event.py",
    "modules/scheduler/business/preview.py": "tests/modules/scheduler/test_endpoints_jobs.py",
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
        bare = served - {item.endpoint for item in _mounted(app)} - RAW_VIEWS
        cure = "declare them by a Redprint (libs/redprint.py), or name them in RAW_VIEWS"
        assert bare == set(), f"{cure}: {_listed(bare)}"
        assert served >= RAW_VIEWS

    def test_every_changing_operation_declares_access(self, app: Flask) -> None:
        undeclared = {
            item.endpoint
            for item in _mounted(app)
            if item.operation.changes and not item.operation.permission and not item.operation.public
        }
        cure = "give them `permission=Permission.…`, or name them in OPEN_TO_EVERY_CALLER"
        assert undeclared == OPEN_TO_EVERY_CALLER, f"{cure}: {_listed(undeclared ^ OPEN_TO_EVERY_CALLER)}"

    def test_every_filter_of_a_rule_is_offered_by_a_list(self, app: Flask) -> None:
        rules: dict[int, set[str]] = {}
        for operation in (item.operation for item in _mounted(app)):
            if operation.filters is not None:
                missing = rules.setdefault(id(operation.filters), set(operation.filters.names()))
                missing.difference_update(operation.inputs["query"].model_fields)
        cure = "give a list's query a field of the name (libs/filter.py), or take it out of the rule's FILTERS"
        hidden: set[str] = set().union(*rules.values())
        assert hidden == set(), f"{cure}: {_listed(hidden)}"
        assert len(rules) >= 3

    def test_every_error_of_a_module_is_declared_by_an_operation(self, app: Flask) -> None:
        declared = {error for item in _mounted(app) for error in item.operation.errors}
        declared |= {error for item in _mounted(app) for error in implied_errors(item.operation)}
        ours = {error for error in _subclasses(Refusal) if error.__module__.startswith("application.modules.")}
        undeclared = {f"{error.__module__}.{error.__name__}" for error in ours - declared}
        cure = "name them in `errors=` of the operations whose rules raise them"
        assert undeclared == set(), f"{cure}: {_listed(undeclared)}"


def _listed(names: set[str]) -> str:
    """Return names as one text, which pytest does not cut off."""
    return "; ".join(sorted(names))


def _subclasses(family: type[Refusal]) -> Iterator[type[Refusal]]:
    for error in family.__subclasses__():
        yield error
        yield from _subclasses(error)


class TestSources:
    def test_stay_below_400_lines(self) -> None:
        files = [*_sources(), *_sources(ROOT / "tests"), *ROOT.glob("*.py")]
        long = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in files}
        too_long = {f"{path} ({lines})" for path, lines in long.items() if lines > MAX_LINES}
        assert too_long == set(), f"split them by what they do: {_listed(too_long)}"

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
        assert unexplained == [], "name the code and say why: `# noqa: S105 -- the name of a scheme`"

    def test_commit_only_in_the_unit_of_work(self) -> None:
        commits = sorted(
            str(path.relative_to(ROOT))
            for path in _sources()
            if re.search(r"\.(commit|rollback)\(|(engine|connection|session)\.begin\(", path.read_text())
        )
        cure = "leave it to the unit of work around the handler, or open one with `unit_of_work()`"
        assert commits == [f"application/database/{name}.py" for name in ("beginning", "channel", "unit")], cure

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
            untested.append(f"{path.relative_to(ROOT)}: write {mirror.relative_to(ROOT)}")
        cure = "write them, or say in TESTED_TOGETHER where the tests stand"
        assert untested == [], f"{cure}: {'; '.join(untested)}"

    def test_of_every_module_are_layered(self) -> None:
        folders = {f"application.modules.{path.parent.name}" for path in APPLICATION.glob("modules/*/__init__.py")}
        named = {name for name in _layered() if name.count(".") == 2}
        cure = "name it in pyproject.toml, in `containers` of the second contract of [tool.importlinter]"
        assert folders - named == set(), f"{cure}: {_listed(folders - named)}"
        cure = "take it out of pyproject.toml, out of the `containers` of [tool.importlinter]"
        assert named - folders == set(), f"{cure}: {_listed(named - folders)}"

    def test_of_every_module_are_python_packages(self) -> None:
        folders = [path for path in (APPLICATION / "modules").iterdir() if any(path.glob("*.py"))]
        bare = [str(path.relative_to(ROOT)) for path in folders if not (path / "__init__.py").exists()]
        assert bare == [], "give each an __init__.py with a docstring"


def _layered() -> Iterator[str]:
    """Return what import-linter holds to an order inside."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    return (name for contract in contracts for name in contract.get("containers", ()))


def _only_speaks(path: Path) -> bool:
    """Tell whether a file has nothing to test: tables, a wire format, a docstring or names passed on."""
    body = ast.parse(path.read_text()).body
    imports_only = all(isinstance(node, ast.ImportFrom | ast.Expr | ast.Assign) for node in body)
    return path.name in {"models.py", "schemas.py", "schemas_v2.py"} or (path.name == "__init__.py" and imports_only)


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

    def test_lets_python_look_for_garbage_seldom(self) -> None:
        program = "import gc; least, *_ = gc.get_threshold(); import application; print(gc.get_threshold()[0] // least)"
        result = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
        assert int(result.stdout) > 10

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
    @pytest.mark.parametrize(
        ("address", "name"),
        [
            ("/api/v1/openapi.json", "openapi.json"),
            ("/api/v2/openapi.json", "openapi-v2.json"),
            ("/api/asyncapi.json", "asyncapi.json"),
        ],
    )
    def test_is_committed_as_it_is_served(self, app: Flask, address: str, name: str) -> None:
        committed = json.loads((ROOT / "docs" / name).read_text())
        assert app.test_client().get(address).json == committed, "run `make openapi`"


class TestVersions:
    def test_are_spoken_of_in_endpoints_and_schemas_only(self) -> None:
        modules = _sources(APPLICATION / "modules")
        assert {path.name for path in modules if re.search(r"_v\d", path.name)} == {"endpoints_v2.py", "schemas_v2.py"}

    def test_are_nothing_rules_and_tables_know_of(self) -> None:
        below = [*APPLICATION.glob("modules/*/business.py"), *APPLICATION.glob("modules/*/business/*.py")]
        below += APPLICATION.glob("modules/*/models.py")
        assert len(below) > 10
        assert [str(path) for path in below if re.search(r"\bv[12]\b|_v\d|/api/", path.read_text())] == []

    def test_are_known_to_no_earlier_version(self) -> None:
        graph = grimp.build_graph("application", cache_dir=None)
        later = {module for module in graph.modules if re.search(r"_v\d$", module)}
        knowing = {importer for module in later for importer in graph.find_modules_that_directly_import(module)}
        assert knowing - later == {"application.api.v2"}
