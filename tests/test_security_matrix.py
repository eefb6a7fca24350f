"""Every row of the security matrix has its tests, and they are there."""

import ast
from functools import cache
from pathlib import Path

import pytest

from tests.security_matrix import ROWS, page

ROOT = Path(__file__).parents[1]

NAMED = sorted({test for row in ROWS.values() for test in row.tests})


@cache
def found_in(file: str) -> frozenset[str]:
    """Return the classes of a file that hold tests, and the tests in them, as `Class` and `Class::method`."""
    found: set[str] = set()
    for node in ast.parse((ROOT / file).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            methods = {item.name for item in node.body if isinstance(item, ast.FunctionDef)}
            tests = {f"{node.name}::{name}" for name in methods if name.startswith("test_")}
            found |= tests | ({node.name} if tests else set())
    return frozenset(found)


class TestRows:
    def test_are_those_of_the_matrix(self) -> None:
        assert list(ROWS) == list(range(1, 35))

    def test_each_have_tests(self) -> None:
        assert [number for number, row in ROWS.items() if not row.tests] == []

    @pytest.mark.parametrize("test", NAMED)
    def test_name_tests_that_are_there(self, test: str) -> None:
        file, _, name = test.partition("::")
        assert name in found_in(file), "it has another name now, or is gone: say so in tests/security_matrix.py"


class TestPage:
    def test_is_written_from_the_table(self) -> None:
        written = (ROOT / "docs" / "security-matrix.md").read_text(encoding="utf-8")
        assert written == page(), "python -m tests.security_matrix > docs/security-matrix.md"
