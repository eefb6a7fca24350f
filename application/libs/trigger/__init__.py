"""Write triggers down as plain fields, build them again, and say when they fire.

{"type": "interval", "timezone": "UTC", "minutes": 10, "start_date": "2026-11-20T12:00:00+00:00"}

APScheduler 3.11 gives the names and the expressions. When they fire is computed here, because where the clock changes
its cron fires `hour=2, minute=30` twice in autumn, `hour=2, minute="*/15"` once instead of four times in spring, and
gives one instant twice in a row for `hour="2-3", minute=30`.
"""

from application.libs.trigger.fault import BadTriggerError, Fault
from application.libs.trigger.fields import build, pin, write
from application.libs.trigger.handed import handed
from application.libs.trigger.kinds import Trigger
from application.libs.trigger.moment import from_micros, read_moment, read_zone, to_micros
from application.libs.trigger.plan import MISFIRES, MOST_CAUGHT_UP, MOST_FIRES, Misfire, Plan, next_fire, plan
from application.libs.trigger.preview import Caution, Fire, Preview, preview
from application.libs.trigger.reading import FIELDS, READ_ONLY, Fields
from application.libs.trigger.shown import show
from application.libs.trigger.words import describe

__all__ = [
    "FIELDS",
    "MISFIRES",
    "MOST_CAUGHT_UP",
    "MOST_FIRES",
    "READ_ONLY",
    "BadTriggerError",
    "Fault",
    "Fields",
    "Fire",
    "Misfire",
    "Plan",
    "Preview",
    "Trigger",
    "Caution",
    "build",
    "describe",
    "from_micros",
    "handed",
    "next_fire",
    "pin",
    "plan",
    "preview",
    "read_moment",
    "read_zone",
    "show",
    "to_micros",
    "write",
]
