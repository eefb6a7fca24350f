"""What jobs log and print."""

import io
import logging
import sys

import pytest

from application.libs.run_output import MOST_CHARACTERS, Output, OutputTap, copied_prints, copy_prints, current_output


class TestOutput:
    def test_is_taken_once_in_pieces_that_fit_a_column(self) -> None:
        output = Output()
        output.write("a" * 20_000)
        output.write("b")
        assert [len(piece) for piece in output.take()] == [16_000, 4_001]
        assert output.take() == []

    def test_is_cut_where_it_is_too_much_and_says_so_once(self) -> None:
        output = Output()
        for _line in range(10):
            output.write("x" * (MOST_CHARACTERS // 4))
        text = "".join(output.take())
        assert text.count("x") == MOST_CHARACTERS
        assert text.endswith("\n(more was written than is kept)\n")

    def test_holds_nothing_that_cannot_be_stored(self) -> None:
        output = Output()
        output.write("a\x00b\ud800")
        assert output.take() == ["a\ufffdb\ufffd"]


class TestOutputTap:
    def test_copies_what_is_logged_in_a_run_and_nothing_else(self) -> None:
        output, logger, tap = Output(), logging.getLogger("test-tap"), OutputTap()
        logger.propagate = False  # an application of this process may have a tap of its own
        logger.addHandler(tap)
        try:
            logger.warning("outside")
            token = current_output.set(output)
            logger.warning("inside")
            current_output.reset(token)
        finally:
            logger.removeHandler(tap)
        assert output.take() == ["inside\n"]


class TestCopyPrints:
    def test_copies_once_however_often_it_is_asked(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("stdout", "stderr"):
            monkeypatch.setattr(sys, name, io.StringIO())
        output, stream = Output(), sys.stdout
        copy_prints()
        copy_prints()
        token = current_output.set(output)
        sys.stdout.write("inside\n")
        current_output.reset(token)
        assert output.take() == ["inside\n"]
        assert isinstance(stream, io.StringIO)
        assert stream.getvalue() == "inside\n"


class TestCopiedPrints:
    def test_copies_what_a_run_prints(self) -> None:
        output = Output()
        before = sys.stdout
        with copied_prints():
            sys.stdout.write("outside\n")
            token = current_output.set(output)
            sys.stdout.write("inside\n")
            current_output.reset(token)
        assert sys.stdout is before
        assert output.take() == ["inside\n"]
