"""Read instants, dates and zones as people write them."""

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

from dateutil import parser

from application.libs import clock

MOST_CHARACTERS = 200  # of any text in a trigger's field; the longest list of minutes has 169

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_MICROS = 250_000_000_000_000_000  # the year 9892, far enough from what datetime can hold for any zone
_MICROSECOND = timedelta(microseconds=1)

EARLIEST = _EPOCH
LATEST = _EPOCH + timedelta(microseconds=_LAST_MICROS)


def to_micros(moment: datetime) -> int:
    """Return an instant as microseconds since 1970 in UTC, exactly."""
    return (moment.astimezone(UTC) - _EPOCH) // _MICROSECOND


def from_micros(micros: int) -> datetime:
    """Return the instant in UTC; one that no calendar holds is the nearest that it does."""
    return _EPOCH + timedelta(microseconds=min(max(micros, 0), _LAST_MICROS))


def read_zone(name: object) -> tzinfo:
    """Return the zone of a name of the IANA database; raise ValueError with the cure."""
    if name == "UTC":
        return UTC
    cure = "give a name of the IANA time zone database, such as Europe/Berlin"
    if not isinstance(name, str) or len(name) > MOST_CHARACTERS:
        raise ValueError(f"this is no name of a time zone; {cure}")
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        raise ValueError(f"there is no time zone {name!r}; {cure}") from None


def read_moment(value: object, zone: tzinfo) -> datetime:
    """Return the instant that a text, a date or a datetime names, naive ones in the zone; raise ValueError.

    Text is whatever python-dateutil reads; what it leaves out is today's.
    """
    try:
        moment = _aware(value, zone)
        if EARLIEST <= moment <= LATEST:
            return moment
    except (ArithmeticError, OSError, TypeError, ValueError):
        raise ValueError(f"{_shortly(value)} is no date; give one such as 2026-11-20T12:00:00+01:00") from None
    raise ValueError(f"{_shortly(value)} is too far away; give a date from 1970-01-02 to {LATEST.year - 1}-12-31")


def read_day(value: object, zone: tzinfo) -> date:
    """Return the day of a text, a date or a datetime; raise ValueError."""
    return read_moment(value, zone).date()


def _aware(value: object, zone: tzinfo) -> datetime:
    if isinstance(value, str):
        value = _parse(value, zone)
    elif isinstance(value, date) and not isinstance(value, datetime):
        value = datetime.combine(value, time())
    if not isinstance(value, datetime):
        raise TypeError
    if value.utcoffset() is None:
        return value.replace(tzinfo=zone).astimezone(UTC).astimezone(zone)
    return value


def _parse(text: str, zone: tzinfo) -> datetime:
    if len(text) > MOST_CHARACTERS:
        raise ValueError
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        today = clock.now().astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
        parsed: datetime = parser.parse(text, default=today, tzinfos=_offset_of)
        return parsed


def _offset_of(name: str | None, seconds: int | None) -> int | None:
    """Refuse the abbreviation of a zone, which dateutil would pass over: EST and CST are several."""
    if seconds is None and name not in (None, "UTC", "GMT", "Z", "z"):
        raise ValueError(name)
    return 0 if seconds is None and name else seconds


def _shortly(value: object) -> str:
    text = repr(value)
    return text if len(text) <= MOST_CHARACTERS else f"{text[:40]}…"
