"""Say what is scheduled from the start: the table of contents of what runs by itself.

Each job is a dict as Flask-APScheduler takes it: `id`, `func` as `package.module:function`, a trigger and its fields.
A runner brings changes into the database when it starts; a pause by an operator stays. Whatever else Flask-APScheduler
reads from its configuration may stand here, too: SCHEDULER_EXECUTORS, SCHEDULER_JOB_DEFAULTS, SCHEDULER_AUTH, …
"""

from typing import Any

SCHEDULER_JOBS: list[dict[str, Any]] = [
    {
        "id": "prune-expired-codes",
        "name": "Prune expired codes",
        "func": "application.modules.code.tasks:prune_expired_codes",
        "trigger": "interval",
        "minutes": 10,
    },
    {
        "id": "prune-expired-sessions",
        "name": "Prune expired sessions",
        "func": "application.modules.session.tasks:prune_expired_sessions",
        "trigger": "interval",
        "minutes": 10,
    },
    {
        "id": "prune-expired-idempotency-keys",
        "name": "Prune expired idempotency keys",
        "func": "application.modules.idempotency.tasks:prune_expired_idempotency_keys",
        "trigger": "interval",
        "minutes": 30,
    },
    {
        "id": "prune-expired-keys",
        "name": "Prune keys for machines that expired a month ago",
        "func": "application.modules.key.tasks:prune_expired_keys",
        "trigger": "interval",
        "hours": 6,
    },
    {
        "id": "settle-messages",
        "name": "Give up messages whose task has ended without a word",
        "func": "application.modules.message.tasks:settle_messages",
        "trigger": "interval",
        "minutes": 5,
    },
    {
        "id": "prune-messages",
        "name": "Prune old messages",
        "func": "application.modules.message.tasks:prune_messages",
        "trigger": "interval",
        "minutes": 5,
    },
    {
        "id": "prune-audit",
        "name": "Prune old audit records",
        "func": "application.modules.audit.tasks:prune_audit",
        "trigger": "interval",
        "minutes": 10,
    },
    {
        "id": "prune-runs",
        "name": "Prune the ledger of runs",
        "func": "application.modules.scheduler.tasks:prune_runs",
        "trigger": "interval",
        "minutes": 5,
    },
    {
        "id": "prune-tasks",
        "name": "Prune tasks that ended long ago",
        "func": "application.modules.task.tasks:prune_tasks",
        "trigger": "interval",
        "minutes": 10,
    },
    {
        "id": "prune-throttle",
        "name": "Prune counts of attempts",
        "func": "application.modules.throttle.tasks:prune_throttle",
        "trigger": "interval",
        "minutes": 10,
    },
    {
        "id": "sweep-files",
        "name": "Sweep files that nobody needs",
        "func": "application.modules.file.tasks:sweep_files",
        "trigger": "interval",
        "minutes": 30,
    },
]
