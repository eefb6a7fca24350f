"""Report what is wrong with a trigger, all of it at once."""

from application.libs.record import Record


class Fault(Record):
    """Hold the field that is wrong, and what is wrong with the cure."""

    field: str
    message: str


class BadTriggerError(ValueError):
    """The fields give no trigger; `faults` holds every reason."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__("; ".join(f"{fault.field}: {fault.message}" for fault in faults))
        self.faults = faults


def bad_trigger(field: str, message: str) -> BadTriggerError:
    """Return the error of a single fault."""
    return BadTriggerError(Fault(field, message))
