"""What the guide tells users of Flask-APScheduler, run in a process as they write it."""

import json
import re
import subprocess
import sys
from pathlib import Path

GUIDE = Path(__file__).parents[3] / "docs" / "guides" / "scheduler.md"

PROGRAM = """
import json, sys, time
from datetime import UTC, datetime, timedelta
{declarations}
from application.cli import database
from application.config.setting import Environment, load_settings
from application.database import transaction
from application.factory import create_app
from application.modules.scheduler import business
settings = load_settings(
    environment=Environment.TESTING, database_url=sys.argv[1], log_directory=sys.argv[2], _env_file=None
)
app = create_app(settings, {{"JOBS": [{{"id": "now", "func": tidy}}]}})
database.init_app(app)
with app.app_context():
    database.upgrade_database()
scheduler.start()
until = time.monotonic() + 20
while scheduler.get_job("tidy") is None and time.monotonic() < until:
    time.sleep(0.05)
{calls}
scheduler.task("cron", id="later", hour=3)(tidy)
with app.app_context():
    while time.monotonic() < until:
        with transaction(write=False):
            run = business.run.get(run_id)
        is_stored, is_over = scheduler.get_job("later") is not None, scheduler.get_job("now") is None
        if run.status not in ("queued", "running") and is_stored and is_over:
            break
        time.sleep(0.05)
tidy_job = scheduler.get_job("tidy")
found = dict(
    jobs=sorted(job.id for job in scheduler.get_jobs()),
    run=run.status,
    name=job.name,
    grace=tidy_job.misfire_grace_time,
    function=tidy_job.func is tidy,
    state=(scheduler.running, scheduler.state),
)
scheduler.pause()
found["paused"] = scheduler.state
scheduler.resume()
found["resumed"] = scheduler.state
scheduler.shutdown()
found["stopped"] = scheduler.state
print(json.dumps(found))
"""


def examples() -> dict[str, str]:
    pattern = r"<!-- python: (\w+) -->\n```python\n(.*?)```"
    return dict(re.findall(pattern, GUIDE.read_text(encoding="utf-8"), re.DOTALL))


class TestMoving:
    def test_works_as_the_guide_says(self, tmp_path: Path) -> None:
        program = PROGRAM.format(**examples())
        arguments = [f"sqlite:///{tmp_path}/moving.db", str(tmp_path / "logs")]
        result = subprocess.run(
            [sys.executable, "-c", program, *arguments], capture_output=True, text=True, timeout=90, check=False
        )
        assert result.returncode == 0, result.stderr
        assert json.loads(result.stdout.splitlines()[-1]) == {
            "jobs": ["later", "tidy"],  # `now` has run, and is over
            "run": "succeeded",
            "name": "Remind the seventh",
            "grace": 900,
            "function": True,
            "state": [True, 1],
            "paused": 2,
            "resumed": 1,
            "stopped": 0,
        }
