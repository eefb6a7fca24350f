"""Do a task in a process of the pool, whose application keeps it in hand as any other does."""

from typing import Any

from application.libs.child_application import child_application
from application.modules.task.business.attempting import Claimed


def do(claimed: Claimed) -> str:
    """Do a task that the parent has claimed; return in words what came of that."""
    engine: Any = child_application().extensions["tasks"]
    outcome: str = engine.do_here(claimed)
    return outcome
