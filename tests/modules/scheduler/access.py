"""Who may do what with jobs."""

from tests.contract.access import Feature, Row

NO_RUN = "00000000-0000-7000-8000-000000000000"
JOB = {"id": None, "func": "prune-expired-sessions", "trigger": "interval", "hours": 1}

FEATURE = Feature(
    {
        "GET /scheduler": Row(401, 403, 403, 200),
        "GET /scheduler/leader": Row(401, 403, 403, 200),
        "GET /scheduler/events": Row(401, 403, 403, 200),
        "GET /scheduler/metrics": Row(401, 403, 403, 200),
        "POST /scheduler/pause": Row(401, 403, 403, 400),  # nobody fires
        "POST /scheduler/resume": Row(401, 403, 403, 400),
        "POST /scheduler/start": Row(401, 403, 403, 409),
        "POST /scheduler/shutdown": Row(401, 403, 403, 409),
        "GET /scheduler/runs": Row(401, 403, 403, 200),
        "GET /scheduler/runs/<id:run_id>": Row(401, 403, 403, 404),
        "GET /scheduler/runs/<id:run_id>/output": Row(401, 403, 403, 404),
        "POST /scheduler/runs/<id:run_id>/cancel": Row(401, 403, 403, 404),
        "GET /scheduler/busy": Row(401, 403, 403, 200),
        "GET /scheduler/jobs": Row(401, 403, 403, 200),
        "GET /scheduler/jobs/<job_id>": Row(401, 403, 403, 404),  # there is no such job
        "GET /scheduler/jobs/<job_id>/runs": Row(401, 403, 403, 404),
        "POST /scheduler/jobs": Row(401, 403, 403, 200, JOB),
        "PATCH /scheduler/jobs/<job_id>": Row(401, 403, 403, 404, {}),
        "DELETE /scheduler/jobs/<job_id>": Row(401, 403, 403, 404),
        "GET /scheduler/jobs/<job_id>/history": Row(401, 403, 403, 404),
        "GET /scheduler/jobs/<job_id>/preview": Row(401, 403, 403, 404),
        "POST /scheduler/jobs/<job_id>/revert/<int:version>": Row(401, 403, 403, 404),
        "GET /scheduler/quarantine": Row(401, 403, 403, 200),
        "POST /scheduler/quarantine/<job_id>/repair": Row(401, 403, 403, 404, {"func": "prune-expired-sessions"}),
        "GET /scheduler/jobs/<job_id>/explain": Row(401, 403, 403, 404),
        "POST /scheduler/bulk/pause": Row(401, 403, 403, 200, {"ids": ["no-such-job"]}),
        "POST /scheduler/bulk/resume": Row(401, 403, 403, 200, {"ids": ["no-such-job"]}),
        "POST /scheduler/bulk/run": Row(401, 403, 403, 200, {"ids": ["no-such-job"]}),
        "POST /scheduler/bulk/delete": Row(401, 403, 403, 200, {"ids": ["no-such-job"]}),
        "GET /scheduler/functions": Row(401, 403, 403, 200),
        "POST /scheduler/preview": Row(401, 403, 403, 200, {"trigger": "cron", "hour": 3}),
        "POST /scheduler/jobs/<job_id>/pause": Row(401, 403, 403, 404),
        "POST /scheduler/jobs/<job_id>/resume": Row(401, 403, 403, 404),
        "POST /scheduler/jobs/<job_id>/run": Row(401, 403, 403, 404),
    },
    create=lambda _world: {"job_id": "no-such-job", "run_id": NO_RUN, "version": "1"},
)
