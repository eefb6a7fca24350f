"""Nothing that is read from outside is ever unpickled or evaluated: no file imports what could."""

import ast
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.version import Version

from application.libs.celery_app import make_celery

APPLICATION = Path(__file__).parents[2] / "application"

DANGEROUS = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "jsonpickle", "marshal", "shelve", "yaml", "code"}
CALLS = {"eval", "exec", "compile", "__import__", "input"}

NEWER = {"python-socketio": "5.16.2", "celery": "5.7", "apscheduler": "3.11"}
"""Packages whose earlier versions unpickle what others sent (CVE-2025-61765, CVE-2026-48804), or were not looked at."""


def imported(tree: ast.AST) -> Iterator[str]:
    """Yield the first part of every module that is imported."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]


def called(tree: ast.AST) -> Iterator[str]:
    """Yield the name of every plain function that is called."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield node.func.id


class TestSources:
    def test_import_nothing_that_unpickles(self) -> None:
        for file in APPLICATION.rglob("*.py"):
            tree = ast.parse(file.read_text(encoding="utf-8"))
            assert set(imported(tree)) & DANGEROUS == set(), file
            assert set(called(tree)) & CALLS == set(), file

    @pytest.mark.parametrize(("package", "least"), NEWER.items())
    def test_stand_on_packages_that_unpickle_nothing_of_others(self, package: str, least: str) -> None:
        assert Version(version(package)) >= Version(least)


class TestQueues:
    @pytest.mark.parametrize("broker", ["memory://", "redis://127.0.0.1", "amqp://127.0.0.1"])
    def test_carry_json_alone(self, broker: str) -> None:
        conf = make_celery(broker, prefix="t", queues=["default"], settings={}, perform=str).conf
        assert conf.accept_content == ["json"]
        assert (conf.task_serializer, conf.result_serializer) == ("json", "json")
        assert conf.result_backend is None
