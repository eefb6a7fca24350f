"""Whom an alert is handed to before anybody says more."""

import logging

import pytest

from application.libs import clock
from application.libs.alert import Alert, Alerting, log_alert

ALERT = Alert(
    job_id="report",
    name="Report",
    kind="failure",
    status="failed",
    run_id="r",
    count=3,
    error_type="ValueError",
    error_message="no\nnet",
    at=clock.now(),
)


class TestLogAlert:
    def test_writes_one_line(self, caplog: pytest.LogCaptureFixture) -> None:
        with caplog.at_level(logging.WARNING):
            log_alert(ALERT)
        assert caplog.messages == ["Alert: failure of job report, 3 in a row (run r): ValueError no net"]


class TestOnAlert:
    def test_adds_a_hook_once_behind_the_log(self) -> None:
        heard: list[Alert] = []
        alerting = Alerting()
        assert alerting.on_alert(heard.append) == heard.append
        alerting.on_alert(heard.append)
        assert alerting.alert_hooks == [log_alert, heard.append]
