"""What gunicorn's master is told of the settings."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from application.config.server import FIELDS, VARIABLE, server_settings
from application.config.setting import ROOT, Environment, load_settings


class TestServerSettings:
    def test_hold_what_gunicorn_conf_reads(self) -> None:
        settings = load_settings(environment=Environment.TESTING, port=5001, _env_file=None)
        handed = json.loads(server_settings(settings))
        assert set(handed) == FIELDS
        assert (handed["port"], handed["async_mode"]) == (5001, "threading")
        source = (ROOT / "gunicorn.conf.py").read_text()
        assert {name for name in FIELDS if re.search(rf"settings\[.{name}.\]", source)} == FIELDS
        assert VARIABLE in source

    def test_hold_no_secret(self) -> None:
        settings = load_settings(
            environment=Environment.TESTING,
            secret_key="a-key-that-nobody-shall-see-anywhere",
            database_url="postgresql://redprint:hidden@127.0.0.1/x",
            _env_file=None,
        )
        handed = server_settings(settings)
        assert "hidden" not in handed
        assert "a-key" not in handed


class TestGunicornConf:
    def test_loads_nothing_of_the_application_into_the_master(self, tmp_path: Path) -> None:
        code = (
            "import runpy, sys; runpy.run_path('gunicorn.conf.py'); "
            "print([name for name in sys.modules if name.split('.')[0] in ('application', 'flask', 'sqlalchemy')])"
        )
        result = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
        )
        assert result.stdout == "[]\n"

    def test_refuses_more_workers_than_the_settings_would(self, tmp_path: Path) -> None:
        result = subprocess.run(
            [sys.executable, "-m", "gunicorn", "-w", "3"],
            cwd=ROOT,
            env={
                **os.environ,
                "PORT": "0",
                "LOG_DIRECTORY": str(tmp_path),
                "RUNNER": "inline",
                "ASYNC_MODE": "threading",
            },
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert result.returncode == 78
        refusals = [line for line in result.stderr.splitlines() if "WORKERS" in line]
        assert len(refusals) == 1
        assert "Traceback" not in result.stderr
