"""What a unit of work gathers, and writes by one statement before it commits."""

import pytest
from flask import Flask

from application.database import gather, gathered, transaction


class TestGather:
    def test_writes_once_for_all_before_the_commit(self, app: Flask) -> None:
        written: list[list[int]] = []
        with app.app_context(), transaction():
            gather(written.append, 2)
            with transaction():
                gather(written.append, 3)
            assert written == []
        assert written == [[2, 3]]

    def test_writes_nothing_of_what_failed_or_was_taken(self, app: Flask) -> None:
        written: list[list[int]] = []
        with app.app_context():
            with pytest.raises(ZeroDivisionError), transaction():
                gather(written.append, 2)
                _ = 1 // 0
            with transaction():
                gather(written.append, 3)
                assert gathered(written.append) == [3]
        assert written == []
