"""Fixtures: a project of its own with our configuration in it, and processes that start there."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from application.config.setting import ROOT, Settings, load_settings

Start = Callable[..., "subprocess.CompletedProcess[str]"]

CLEAN = {name: value for name, value in os.environ.items() if name.lower() not in Settings.model_fields}


KEY = "4f1c9d27e0ab83f65d7a2c94b1e8f0637a5d9c2e81b4f603"

WEBHOOK = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

START = "from application.config.setting import settings_or_exit; settings_or_exit()"


def load(**overrides: object) -> Settings:
    """Read settings for a test, with no file."""
    return load_settings(**{"environment": "testing", "_env_file": None, **overrides})


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Copy what reads settings into a root of its own, so that neither `.env` nor key file of this one is touched."""
    root = tmp_path / "project"
    for part in ("config", "libs"):
        shutil.copytree(
            ROOT / "application" / part, root / "application" / part, ignore=shutil.ignore_patterns("__pycache__")
        )
    (root / "application" / "__init__.py").touch()
    return root


@pytest.fixture
def start(project: Path) -> Start:
    """Return a function that starts a Python program in the project with exactly these settings."""

    def run(program: str, **settings: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-c", program],
            cwd=project,
            env={**CLEAN, "PYTHONPATH": str(project), **settings},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run
