"""Posting signed JSON to others, and refusing the rest."""

import json
import re
import runpy
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import pytest
from flask import Flask
from pydantic import AfterValidator, Field

from application.extensions import webhooks
from application.libs.delivery import TemporaryFailure
from application.libs.ok import Envelope
from application.libs.outbound import Outbound, Refused
from application.libs.redprint import Redprint, Surface
from application.libs.schema import Schema
from application.libs.webhook_signature import verify
from tests.applications import build
from tests.contract import specimen
from tests.http_receiver import Receiver, receiver

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "webhook.md"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


class HookIn(Schema):
    """Take a URL that is to be called."""

    url: Annotated[
        str, Field(max_length=2048, examples=["https://hooks.example.org/"]), AfterValidator(webhooks.check_url)
    ]


@pytest.fixture
def listening() -> Iterator[Receiver]:
    with receiver() as server:
        yield server


@pytest.fixture
def small(listening: Receiver) -> Iterator[Flask]:
    """Return an application that may call this machine."""
    made = Flask("small")
    webhooks.init_app(made, Outbound(["127.0.0.1"], ["127.0.0.1"]), SECRET)
    with made.app_context():
        yield made


@pytest.mark.usefixtures("small")
class TestPostJson:
    def test_signs_what_it_sends(self, listening: Receiver) -> None:
        payload = {"type": "job.failure", "timestamp": datetime(2026, 1, 2, tzinfo=UTC), "data": {"name": "报告"}}
        assert webhooks.post_json(f"http://127.0.0.1:{listening.port}/in", payload, event_id="e-1").status == 204
        (received,) = listening.received
        assert json.loads(received.body) == payload | {"timestamp": "2026-01-02T00:00:00Z"}
        assert received.headers["content-type"] == "application/json"
        assert received.headers["webhook-id"] == "e-1"
        assert verify(SECRET, received.headers, received.body)
        assert not verify(SECRET, received.headers, received.body.replace(b"failure", b"success"))

    def test_says_what_is_to_be_tried_again(self, listening: Receiver) -> None:
        listening.statuses = [503, 410, 204]
        url = f"http://127.0.0.1:{listening.port}/"
        with pytest.raises(TemporaryFailure, match="answered 503"):
            webhooks.post_json(url, {}, event_id="e-1")
        with pytest.raises(Refused, match="answered 410"):
            webhooks.post_json(url, {}, event_id="e-1")
        webhooks.post_json(url, {}, event_id="e-1")
        assert len(listening.received) == 3

    @pytest.mark.timed
    def test_waits_no_longer_than_it_is_told(self, listening: Receiver) -> None:
        listening.pauses_seconds = 1.0
        with pytest.raises(TemporaryFailure, match="in time"):
            webhooks.post_json(f"http://127.0.0.1:{listening.port}/", {}, event_id="e-1", timeout_seconds=0.2)


@pytest.mark.usefixtures("small")
class TestGuide:
    """What the guide prints, as it is printed."""

    def test_sends(self, listening: Receiver, tmp_path: Path) -> None:
        guide = GUIDE.read_text(encoding="utf-8")
        (example,) = re.findall(r"## Send\n```python\n(.*?)```", guide, re.DOTALL)
        address = f"http://127.0.0.1:{listening.port}/redprint"
        (tmp_path / "send.py").write_text(example.replace("https://hooks.example.org/redprint", address))
        runpy.run_path(str(tmp_path / "send.py"))
        (received,) = listening.received
        assert json.loads(received.body)["type"] == "blog.published"

    def test_verifies(self, listening: Receiver, tmp_path: Path) -> None:
        (example,) = re.findall(r"<!-- receiver -->\n```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
        (tmp_path / "receive.py").write_text(example)
        theirs = runpy.run_path(str(tmp_path / "receive.py"))["verify"]
        webhooks.post_json(f"http://127.0.0.1:{listening.port}/", {"a": 1}, event_id="e-1")
        (received,) = listening.received
        assert theirs(SECRET, received.headers, received.body)
        assert not theirs(SECRET, received.headers, received.body + b" ")
        assert not theirs(SECRET, received.headers | {"webhook-timestamp": "1614265330"}, received.body)


class TestInit:
    def test_lets_nobody_be_called_by_default(self, tmp_path: Path, listening: Receiver) -> None:
        app = build(f"sqlite:///{tmp_path / 'a.db'}", tmp_path)
        with app.app_context(), pytest.raises(Refused, match="not among those"):
            webhooks.check_url(f"https://127.0.0.1:{listening.port}/")

    def test_takes_the_settings(self, tmp_path: Path, listening: Receiver) -> None:
        hosts = {"webhook_hosts": "127.0.0.1,hooks.example.org", "webhook_private_hosts": "127.0.0.1"}
        app = build(f"sqlite:///{tmp_path / 'a.db'}", tmp_path, **hosts, webhook_secret=SECRET)
        with app.app_context():
            webhooks.post_json(f"http://127.0.0.1:{listening.port}/", {}, event_id="e-1")
            with pytest.raises(Refused, match="https"):
                webhooks.check_url("http://hooks.example.org/")
        (received,) = listening.received
        assert verify(SECRET, received.headers, received.body)

    def test_sends_nothing_unsigned(self, listening: Receiver) -> None:
        app = Flask("small")
        webhooks.init_app(app, Outbound(["127.0.0.1"], ["127.0.0.1"]), "")
        with app.app_context(), pytest.raises(Refused, match="set WEBHOOK_SECRET"):
            webhooks.post_json(f"http://127.0.0.1:{listening.port}/", {}, event_id="e-1")
        assert listening.connects == 0


class TestCheckUrl:
    """Row 18 of the security matrix, as a client meets it: 422, and nobody is called."""

    @pytest.mark.parametrize(
        ("url", "said"),
        [
            ("https://127.0.0.1:{port}/", "Its host has an address that is not public"),
            ("https://2130706433:{port}/", "Its host has an address that is not public"),
            ("https://localhost:{port}/", "Its host has an address that is not public"),
            ("https://169.254.169.254/latest/meta-data/", "Its host has an address that is not public"),
            ("https://10.0.0.1:{port}/", "Its host is not among those that may be called"),
            ("http://127.0.0.1:{port}/", "Give a URL that begins with https://"),
            ("file:///etc/passwd", "Give a URL as https://host/path, in ASCII, without user, password and fragment"),
            ("gopher://127.0.0.1:{port}/_x", "Give a URL as https://host/path, in ASCII, without user, password "),
        ],
    )
    def test_is_422_with_the_field(self, tmp_path: Path, listening: Receiver, url: str, said: str) -> None:
        hook = Redprint("hook", __name__)

        @hook.post("", public=True)
        def create(body: HookIn) -> None:
            """Take a hook."""

        surface = Surface("s", __name__, url_prefix="/s", dialect=Envelope())
        surface.register_blueprint(hook)
        app = specimen.build(f"sqlite:///{tmp_path / 'r.db'}", surfaces=[surface])
        webhooks.init_app(app, Outbound(["127.0.0.1", "2130706433", "localhost", "169.254.169.254"]), SECRET)
        answer = app.test_client().post("/s/hook", json={"url": url.format(port=listening.port)})
        assert answer.status_code == 422
        assert answer.json is not None
        (error,) = answer.json["errors"]
        assert error["loc"] == ["body", "url"]
        assert error["msg"].startswith(said)
        assert listening.connects == 0
