"""Say what is scheduled from the start: the table of contents of what runs by itself.

Each job is a dict as Flask-APScheduler takes it: `id`, `func` as `package.module:function`, a trigger and its fields.
A runner brings changes into the database when it starts; a pause by an operator stays.
"""

from typing import Any

SCHEDULER_JOBS: list[dict[str, Any]] = [
    {
        "id": "prune-expired-tokens",
        "name": "Prune expired tokens",
        "func": "application.modules.auth.tasks:prune_expired_tokens",
        "trigger": "interval",
        "minutes": 10,
    },
]
