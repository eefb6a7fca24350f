"""Functions that may be called by name."""

import functools
import importlib
import re
import sys
from collections.abc import AsyncIterator, Iterator
from datetime import date
from pathlib import Path
from typing import Annotated, Any, assert_type

import pytest
from pydantic import Field

from application.libs.catalogue import Catalogue, NotRegistered
from application.libs.declaration import DeclarationError

HERE = __name__


def send_report(day: date, copies: Annotated[int, Field(ge=1)] = 1) -> int:
    """Send the report of a day.

    To everybody.
    """
    return day.year * copies


def _prune() -> None:
    pass


async def wait() -> None:
    """Be awaited."""


async def stream() -> AsyncIterator[int]:
    """Be iterated and awaited."""
    yield 1


def count() -> Iterator[int]:
    """Be iterated."""
    yield 1


class Mailer:
    def send(self, day: date) -> None:
        """Send from an instance."""

    @classmethod
    def make(cls) -> None:
        """Send from a class."""

    @staticmethod
    def check(day: date) -> int:
        """Need neither."""
        return day.year


def traced(function: Any) -> Any:
    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return wrapper


@pytest.fixture
def catalogue() -> Catalogue:
    catalogue = Catalogue()
    catalogue.register(send_report)
    return catalogue


class TestRegister:
    def test_returns_the_function_untouched(self) -> None:
        registered = Catalogue().register(send_report)
        assert registered is send_report
        assert_type(registered(date(2026, 1, 1), copies=2), int)

    def test_names_a_function_as_the_code_does_with_hyphens(self, catalogue: Catalogue) -> None:
        catalogue.register(_prune)
        assert [(entry.name, entry.summary) for entry in catalogue] == [
            ("prune", ""),
            ("send-report", "Send the report of a day."),
        ]

    def test_takes_another_name(self) -> None:
        catalogue = Catalogue()
        catalogue.register(send_report, "report.daily")
        assert [entry.name for entry in catalogue] == ["report.daily"]

    def test_changes_nothing_the_second_time(self, catalogue: Catalogue) -> None:
        catalogue.register(send_report)
        catalogue.register(send_report, "send-report")
        assert len(catalogue) == 1

    def test_takes_static_methods_and_wrapped_functions(self, catalogue: Catalogue) -> None:
        catalogue.register(Mailer.check)
        catalogue.register(traced(_prune))
        assert {entry.reference for entry in catalogue} == {
            f"{HERE}:Mailer.check",
            f"{HERE}:_prune",
            f"{HERE}:send_report",
        }
        assert catalogue.get("prune").parameters["properties"] == {}

    @pytest.mark.parametrize(
        ("function", "message"),
        [
            (lambda: None, "it is a lambda, which has no name. Declare it with a plain `def`"),
            (wait, "it is async, and nothing awaits it. Declare it with a plain `def`"),
            (stream, "it is async, and nothing awaits it. Declare it with a plain `def`"),
            (count, "it is a generator, and nothing iterates it. Do the work, and return the result"),
            (Mailer().send, "it is a method. Register a function of the module that gets the instance itself"),
            (Mailer.send, "it is a method. Register a function"),
            (Mailer.make, "it is a method. Register a function"),
            (Mailer, "it is no function. Declare a plain `def`, and call what it is from there"),
            (functools.partial(send_report, copies=2), "it is no function. Declare a plain `def`"),
            (print, "it is no function. Declare a plain `def`"),
            ("os:system", "it is no function. Declare a plain `def`"),
        ],
    )
    def test_refuses_what_cannot_be_called_by_name(self, function: Any, message: str) -> None:
        catalogue = Catalogue()
        with pytest.raises(DeclarationError, match=re.escape(message)):
            catalogue.register(function)
        assert len(catalogue) == 0

    def test_refuses_parameters_without_json_form(self) -> None:
        def send(data: bytes) -> None:
            """Take what JSON cannot give."""

        catalogue = Catalogue()
        with pytest.raises(DeclarationError, match=r"send: its parameter `data` has no JSON form \(bytes; take base64"):
            catalogue.register(send)
        assert len(catalogue) == 0

    def test_refuses_a_second_function_under_one_name(self, catalogue: Catalogue) -> None:
        message = f"the name 'send-report' belongs to {HERE}:send_report. Give one of the two another name"
        with pytest.raises(DeclarationError, match=re.escape(message)):
            catalogue.register(_prune, "send-report")

    def test_refuses_a_second_function_under_one_reference(self, catalogue: Catalogue) -> None:
        with pytest.raises(DeclarationError, match=f"another function is registered as {HERE}:send_report. Rename one"):
            catalogue.register(traced(send_report), "other")

    def test_refuses_a_second_name_for_one_function(self, catalogue: Catalogue) -> None:
        with pytest.raises(DeclarationError, match="it is registered as 'send-report' already. Give it one name"):
            catalogue.register(send_report, "other")

    @pytest.mark.parametrize("name", ["", "a b", "a/b", "a:b", "-a", "é", "a\n", "a" * 101])
    def test_refuses_a_name_that_is_no_part_of_an_address(self, name: str) -> None:
        with pytest.raises(DeclarationError, match="its name is .* Give one of ASCII letters, digits"):
            Catalogue().register(send_report, name)


class TestJob:
    def test_decorates_with_and_without_a_name(self) -> None:
        catalogue = Catalogue()

        @catalogue.job
        def first(number: int) -> str:
            """Be first."""
            return str(number)

        @catalogue.job(name="other")
        def second(number: int) -> str:
            """Be second."""
            return str(number)

        assert_type(first(1), str)
        assert_type(second(number=2), str)
        assert [(entry.name, entry.function) for entry in catalogue] == [("first", first), ("other", second)]


class TestGet:
    @pytest.mark.parametrize("text", ["send-report", f"{HERE}:send_report"])
    def test_finds_by_name_and_by_reference(self, catalogue: Catalogue, text: str) -> None:
        entry = catalogue.get(text)
        assert (entry.name, entry.reference) == ("send-report", f"{HERE}:send_report")
        assert entry.function is send_report

    @pytest.mark.parametrize("text", ["send_report", "send-reports", f"{HERE}:sendreport"])
    def test_names_what_is_near(self, catalogue: Catalogue, text: str) -> None:
        with pytest.raises(NotRegistered) as raised:
            catalogue.get(text)
        near = f"{HERE}:send_report" if ":" in text else "send-report"
        assert raised.value.near == [near]
        assert str(raised.value) == (
            f"No function is registered as {text!r}. Did you mean {near}? "
            "Name one that is, or register it in the code by `@catalogue.job`"
        )

    @pytest.mark.parametrize("text", ["", "os:system", "builtins:eval", "x" * 100_000, "\ud800\0"])
    def test_bounds_and_escapes_what_it_repeats(self, catalogue: Catalogue, text: str) -> None:
        with pytest.raises(NotRegistered) as raised:
            catalogue.get(text)
        assert raised.value.near == []
        assert len(str(raised.value)) < 250
        assert str(raised.value).isascii()

    def test_imports_nothing(self, catalogue: Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "trap.py").write_text("def spring() -> None:\n    pass\n")
        monkeypatch.syspath_prepend(tmp_path)
        importlib.invalidate_caches()
        with pytest.raises(NotRegistered):
            catalogue.get("trap:spring")
        assert "trap" not in sys.modules


class TestContains:
    def test_asks_for_the_function_itself(self, catalogue: Catalogue) -> None:
        assert send_report in catalogue
        assert traced(send_report) not in catalogue
        assert "send-report" not in catalogue


class TestEntry:
    def test_binds_what_is_stored_and_converts_what_is_called(self, catalogue: Catalogue) -> None:
        entry = catalogue.get("send-report")
        stored = entry.bind(["2026-11-28"], {"copies": 2})
        assert stored == (["2026-11-28"], {"copies": 2})
        args, kwargs = entry.convert(*stored)
        assert entry.function(*args, **kwargs) == 4052

    def test_describes_its_parameters(self, catalogue: Catalogue) -> None:
        assert catalogue.get("send-report").parameters == {
            "type": "object",
            "properties": {
                "day": {"type": "string", "format": "date"},
                "copies": {"type": "integer", "minimum": 1, "default": 1},
            },
            "required": ["day"],
            "additionalProperties": False,
        }
