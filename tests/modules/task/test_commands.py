"""The command that starts a worker."""

import pytest

from application.cli.group import manager


class TestWorker:
    def test_says_what_to_set_where_no_broker_rings(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setenv("BROKER_URL", "memory://")
        # Flask's group sets this for good; a server started later by another test would not serve.
        monkeypatch.setenv("FLASK_RUN_FROM_CLI", "true")
        with pytest.raises(SystemExit) as ended:
            manager.main(["worker"])
        assert ended.value.code == 1
        assert "set BROKER_URL=redis://… or amqp://…" in capsys.readouterr().err
