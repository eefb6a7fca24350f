"""Make definitions of what clients give, and name every fault of it at once."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec

from application.extensions import scheduler
from application.libs import trigger
from application.libs.arguments import InvalidArguments
from application.libs.catalogue import Entry, NotRegistered
from application.libs.error import FieldError, Invalid, field_error
from application.modules.scheduler.business.definition import (
    DEFAULTS,
    OPTIONS,
    Definition,
    Unreadable,
    arguments_of,
    build_trigger,
    fault_of_id,
    fault_of_size,
    in_one_line,
    kind_of,
    options,
    pinned,
    store_arguments,
    unwrapped,
)
from application.modules.scheduler.models import NAME_LENGTH

_SPAN = frozenset({"start_date", "end_date", "timezone", "jitter"})
_TRIGGER_FIELDS = frozenset(field for fields in trigger.FIELDS.values() for field in fields)


class InvalidJob(Invalid):
    """Some fields of the job are not valid."""


class Draft:
    """Collect what a definition is made of, and what is wrong with it."""

    def __init__(self, given: Mapping[str, Any], moment: datetime, before: Definition | None = None) -> None:
        """Take what is given by name; what is left out is as `before`, or as the defaults say."""
        self.given = given
        self._moment = moment
        self._before = before
        self._setup = scheduler.setup
        self._errors: list[FieldError] = []

    def definition(self, job_id: str) -> Definition:
        """Return the definition; raise `InvalidJob` with every fault."""
        self._check_places()
        entry = self._entry()
        fields = {
            "name": self._name(job_id),
            "trigger": self._trigger(),
            **self._options(),
            **(self._arguments(entry) if entry is not None else {}),
        }
        self.refuse()
        definition = pinned(msgspec.convert(fields, Definition), self._moment)
        too_large = fault_of_size(definition)
        if too_large is not None:
            self._fault("args", too_large, "too_large")
            self.refuse()
        return definition

    def timing(self) -> trigger.Fields:
        """Return the trigger alone; raise `InvalidJob` with every fault."""
        fields = self._trigger()
        zone = self.given.get("zone")
        if zone is not None:
            self._collect("zone", lambda: trigger.read_zone(zone))
        self.refuse()
        return fields

    def next_run_time(self, definition: Definition) -> datetime | None:
        """Return when the job is due first, None for a job that is made paused; raise `InvalidJob`."""
        if "next_run_time" not in self.given:
            return self.first_fire(definition)
        given, zone = self.given["next_run_time"], self._setup.timezone
        if given is None:
            return None
        first: datetime = self._collect("next_run_time", lambda: trigger.read_moment(given, trigger.read_zone(zone)))
        self.refuse()
        return first

    def first_fire(self, definition: Definition) -> datetime | None:
        """Return the first fire from now on; refuse a trigger that has ended, or a date older than the grace."""
        first = trigger.next_fire(build_trigger(definition), None, self._moment)
        grace = definition.misfire_grace_time
        if first is None or (grace is not None and first < self._moment - timedelta(seconds=grace)):
            field = "run_date" if definition.trigger["type"] == "date" else "end_date"
            self._fault(field, "Its time is over; give one that is to come", "time_over")
            self.refuse()
        return first

    def refuse(self) -> None:
        """Raise `InvalidJob` if anything is wrong."""
        if self._errors:
            raise InvalidJob(in_one_line(self._errors, within=1)[:1000], errors=self._errors)

    def _check_places(self) -> None:
        for field, known in (("executor", self._setup.executors), ("jobstore", self._setup.stores.aliases)):
            given = self.given.get(field)
            if given is not None and given not in known:
                self._fault(field, f"There is none of this name; use one of {', '.join(known)}", f"unknown_{field}")

    def _entry(self) -> Entry | None:
        """Return the function that is named, or the one there was; text from the wire imports nothing."""
        text = self.given.get("func") or (self._before.func if self._before is not None else None)
        if text is None:
            self._fault("func", "Name a function", "missing")
            return None
        try:
            return self._setup.functions.get(text)
        except NotRegistered as error:
            self._fault("func", str(error), "not_registered")
            return None

    def _arguments(self, entry: Entry) -> dict[str, Any]:
        """Return the function with the arguments that fit it; those there were stay only where they do."""
        args, kwargs = arguments_of(self._before) if self._before is not None else ([], {})
        try:
            bound = entry.bind(self.given.get("args", args), self.given.get("kwargs", kwargs))
        except InvalidArguments as error:
            self._errors += [{**fault, "loc": ["body", *fault["loc"]]} for fault in error.errors]
            return {}
        return {"func": entry.reference, **store_arguments(*bound)}

    def _name(self, job_id: str) -> str:
        before = self._before.name if self._before is not None else ""
        return str(self.given.get("name", before) or job_id)[:NAME_LENGTH]

    def _options(self) -> dict[str, Any]:
        known = {"executor": self._setup.executors[0], **DEFAULTS, **self._setup.defaults}
        if self._before is not None:
            known = {name: getattr(self._before, name) for name in OPTIONS}
        return options(self.given, known, limit=self._setup.defaults["max_instances"])

    def _trigger(self) -> trigger.Fields:
        """Return the trigger: a new one where a type or a timing is given, else that which there was.

        Fields without a type reschedule the trigger there is, a `crontab` makes it a cron; of its timing nothing is
        kept then, of its span what is not given anew.
        """
        flat = {name: value for name, value in self.given.items() if name in _TRIGGER_FIELDS}
        kind, fields = unwrapped(self.given.get("trigger"), flat)
        before = self._before.trigger if self._before is not None else None
        if kind is None and before is not None:
            if not fields:
                return before
            kept = before if fields.keys() <= _SPAN else {key: before[key] for key in before if key in _SPAN}
            kind, fields = "cron" if "crontab" in fields else before["type"], {**kept, **fields}
            fields.pop("type", None)
        if kind is None:
            kind = kind_of(fields)
        found = self._collect("trigger", lambda: trigger.write(kind, fields, self._setup.timezone))
        return found or {}

    def _collect(self, field: str, reading: Callable[[], Any]) -> Any:
        try:
            return reading()
        except trigger.BadTriggerError as error:
            for fault in error.faults:
                self._fault(fault.field, fault.message, "trigger")
        except ValueError as error:
            self._fault(field, str(error), "value_error")
        return None

    def _fault(self, field: str, message: str, kind: str) -> None:
        self._errors.append(field_error("body", *field.split("."), msg=message, type_=kind))


def checked_id(job_id: Any) -> str:
    """Return an id that a job can have; raise `InvalidJob`."""
    fault = fault_of_id(job_id)
    if fault is not None:
        message = f"The id {fault}"
        raise InvalidJob(message, errors=[field_error("body", "id", msg=message, type_="job_id")])
    return str(job_id)


def restorable(definition: Definition) -> bool:
    """Tell whether a definition could fire here and now."""
    try:
        scheduler.setup.functions.get(definition.func)
        build_trigger(definition)
        arguments_of(definition)
    except (NotRegistered, Unreadable):
        return False
    return True
