"""Rules about scheduled jobs; a folder, because they outgrew a file.

`job` is for whoever looks at jobs and runs or steers them; `declared` reconciles what the code declares; `definition`
is a job as text; `lease` elects who fires; `ledger` writes down each fire and what became of it.
"""

from application.modules.scheduler.business.job import (
    JobNotFound,
    JobQuarantined,
    JobRow,
    LeaderRow,
    RunRequested,
    RunRow,
    StatusRow,
    get,
    pause,
    request_run,
    resume,
    search,
    search_runs,
    status,
)

__all__ = [
    "JobNotFound",
    "JobQuarantined",
    "JobRow",
    "LeaderRow",
    "RunRequested",
    "RunRow",
    "StatusRow",
    "get",
    "pause",
    "request_run",
    "resume",
    "search",
    "search_runs",
    "status",
]
