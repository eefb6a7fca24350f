"""What is wrong with a trigger."""

from application.libs.trigger.fault import BadTriggerError, Fault, bad_trigger


class TestBadTriggerError:
    def test_tells_every_fault(self) -> None:
        error = BadTriggerError(Fault("hour", "is late"), Fault("day", "is long"))
        assert str(error) == "hour: is late; day: is long"
        assert [fault.field for fault in error.faults] == ["hour", "day"]


class TestBadTrigger:
    def test_has_one_fault(self) -> None:
        assert bad_trigger("hour", "is late").faults == (Fault("hour", "is late"),)
