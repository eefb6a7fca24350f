"""Rules about scheduled jobs; a folder, because they outgrew a file.

`job` is for whoever looks at jobs or steers them, `run` for whoever looks at what became of them, `cluster` for whoever
asks which process fires, `preview` for whoever asks what a trigger will do. `draft` makes a definition of what is
given, `history` writes down each change of it; `steering` says what pausing and its kin make of one job or many;
`declared` reconciles what the code declares; `definition` is a job as text; `lease` elects who fires, `member` says who
competes; `ledger` writes down each fire, `attempt` each time its function is begun, `outcome` what becomes of a run;
`handing` hands attempts over to workers, who run them as `handed` says;
`event` tells whoever watches, `totals` counts, `metrics` shows figures; `copying` takes jobs to another store.
"""

from application.libs.trigger import Preview
from application.modules.scheduler.business import (
    bulk,
    cluster,
    copying,
    event,
    explanation,
    history,
    metrics,
    quarantine,
    retention,
    roster,
    run,
)
from application.modules.scheduler.business.draft import InvalidJob
from application.modules.scheduler.business.job import (
    JobExists,
    JobNotFound,
    JobQuarantined,
    JobRow,
    create,
    delete,
    functions,
    get,
    history_of,
    pause,
    request_run,
    resume,
    revert,
    update,
)
from application.modules.scheduler.business.preview import preview, preview_of
from application.modules.scheduler.business.steering import RunRequested
from application.modules.scheduler.store import JobChanged

__all__ = [
    "InvalidJob",
    "JobChanged",
    "JobExists",
    "JobNotFound",
    "JobQuarantined",
    "JobRow",
    "Preview",
    "RunRequested",
    "bulk",
    "cluster",
    "copying",
    "create",
    "delete",
    "event",
    "explanation",
    "functions",
    "get",
    "history",
    "history_of",
    "metrics",
    "pause",
    "preview",
    "preview_of",
    "quarantine",
    "request_run",
    "resume",
    "retention",
    "revert",
    "roster",
    "run",
    "update",
]
