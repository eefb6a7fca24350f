"""The schedule that ships."""

from application.config.scheduler import SCHEDULER_JOBS
from application.modules.scheduler.business.definition import declare

DEFAULTS = {"misfire_grace_time": 60, "coalesce": True, "max_instances": 1}


class TestSchedulerJobs:
    def test_can_all_be_declared(self) -> None:
        declared = declare(SCHEDULER_JOBS, timezone="UTC", defaults=DEFAULTS)
        assert [job.job_id for job in declared] == [job["id"] for job in SCHEDULER_JOBS]

    def test_prune_the_expired_tokens(self) -> None:
        (prune,) = [job for job in SCHEDULER_JOBS if job["id"] == "prune-expired-sessions"]
        assert prune["func"] == "application.modules.session.tasks:prune_expired_sessions"
        assert (prune["trigger"], prune["minutes"]) == ("interval", 10)
