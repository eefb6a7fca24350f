"""Work on the ledger that nobody waits for."""

from application.config.current import current_settings
from application.modules.scheduler import business


def prune_runs() -> int:
    """Delete the runs, and changes of jobs, that are kept no longer; return how many."""
    settings = current_settings()
    pruned = business.retention.prune(
        keep_days=settings.scheduler_runs_keep_days, keep_per_job=settings.scheduler_runs_keep_per_job
    )
    return pruned + business.retention.prune_changes()
