"""Which run code belongs to, and that it should end."""

import pytest

from application.libs.clock import now
from application.libs.run_context import Cancelled, RunContext, Stop, check_cancelled, current_stop


class TestStop:
    def test_keeps_the_first_reason(self) -> None:
        stop = Stop()
        assert not stop.asked
        assert not stop.wait(0)
        stop.ask("cancelled by ada")
        stop.ask("cancelled by bob")
        assert stop.wait(0)
        with pytest.raises(Cancelled, match="cancelled by ada"):
            stop.check()


class TestCheckCancelled:
    def test_raises_once_the_run_was_asked_to_end(self) -> None:
        check_cancelled()  # outside of a run it does nothing
        run = RunContext(run_id="1", job_id="job", scheduled_at=now(), token=1, attempt=1, stop=Stop())
        token = current_stop.set(run.stop)
        try:
            check_cancelled()
            run.stop.ask("cancelled by ada")
            assert run.cancelled
            with pytest.raises(Cancelled):
                check_cancelled()
        finally:
            current_stop.reset(token)
