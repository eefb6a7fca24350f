"""Messages over HTTP, for those who look after them."""

from typing import Any

import pytest
from flask import Flask

from application.libs.delivery import PermanentFailure
from application.modules.message import business
from tests.conftest import Caller
from tests.links import next_url
from tests.mail_server import Mailbox
from tests.modules.message.conftest import CODE, Accept
from tests.tables import count_rows

URL = "/api/v1/message"
UNKNOWN = "01981f3e-7c5a-7b1e-9c55-0d7f5b1f2a10"


def deliver(app: Flask, message_id: str) -> None:
    with app.app_context():
        business.deliver(message_id)


def data(response: Any, status: int = 200) -> Any:
    assert response.status_code == status, response.text
    return response.get_json()["data"]


class TestIndex:
    def test_pages_without_gap_or_overlap_the_newest_first(self, admin: Caller, accept: Accept) -> None:
        accepted = [accept(f"ada{number}@example.org") for number in range(5)]
        seen: list[str] = []
        url = f"{URL}?limit=2&count=true"
        while url:
            response = admin.client.get(url)
            assert response.get_json()["page"]["total"] == 5
            seen += [message["id"] for message in data(response)]
            url = next_url(response)
        assert seen == accepted[::-1]

    @pytest.mark.parametrize(
        ("query", "count"),
        [
            ("channel=mail", 2),
            ("channel=sms", 1),
            ("state=queued", 3),
            ("state=failed", 0),
            ("recipient=ada@example.org", 1),
            ("recipient__contains=EXAMPLE", 2),
            ("template=code", 1),
            ("created_at__gte=2030-01-01T00:00:00Z", 0),
        ],
    )
    def test_filters(self, admin: Caller, accept: Accept, query: str, count: int) -> None:
        accept("ada@example.org")
        accept("bob@example.org")
        accept("+4915112345678", template="code", **CODE)
        assert len(data(admin.client.get(f"{URL}?{query}"))) == count

    def test_is_nothing_for_others(self, ada: Caller) -> None:
        assert ada.client.get(URL).status_code == 403


class TestShow:
    def test_says_what_became_of_a_message(self, app: Flask, admin: Caller, accept: Accept, mailbox: Mailbox) -> None:
        message_id = accept(template="code", **CODE)
        deliver(app, message_id)
        shown = data(admin.client.get(f"{URL}/{message_id}"))
        assert (shown["state"], shown["attempts"], shown["reply"]) == ("sent", 1, "250 OK")
        assert (shown["subject"], shown["parameters"]) == ("Your code: ***", {"minutes": 10})
        assert "204816" not in str(shown)

    def test_finds_no_unknown_message(self, admin: Caller) -> None:
        assert admin.client.get(f"{URL}/{UNKNOWN}").status_code == 404


class TestTest:
    @pytest.mark.parametrize(("channel", "to"), [("mail", "ada@example.org"), ("sms", "+4915112345678")])
    def test_accepts_a_message(self, app: Flask, admin: Caller, channel: str, to: str) -> None:
        response = admin.client.post(f"{URL}/test", json={"channel": channel, "to": to, "language": "zh"})
        message = data(response, 201)
        assert (message["channel"], message["recipient"], message["language"]) == (channel, to, "zh")
        assert count_rows(app, "task", id=message["task_id"]) == 1

    @pytest.mark.parametrize(
        ("channel", "to"),
        [("mail", "+4915112345678"), ("sms", "ada@example.org"), ("mail", "ada@example.org, bob@example.org")],
    )
    def test_refuses_what_is_no_recipient(self, app: Flask, admin: Caller, channel: str, to: str) -> None:
        response = admin.client.post(f"{URL}/test", json={"channel": channel, "to": to})
        assert response.status_code == 422
        assert response.get_json()["code"] == "invalid_recipient"
        assert response.get_json()["errors"][0]["loc"] == ["body", "to"]
        assert count_rows(app, "message") == 0


class TestRetry:
    def test_tries_again_what_was_given_up(self, app: Flask, admin: Caller, accept: Accept, mailbox: Mailbox) -> None:
        mailbox.refused["ada@example.org"] = "550 5.1.1 mailbox unknown"
        message_id = accept()
        with pytest.raises(PermanentFailure):
            deliver(app, message_id)
        shown = data(admin.client.get(f"{URL}/{message_id}"))
        assert (shown["state"], shown["reply"]) == ("failed", "550 5.1.1 mailbox unknown")
        mailbox.refused.clear()
        assert data(admin.client.post(f"{URL}/{message_id}/retry"))["state"] == "queued"
        deliver(app, message_id)
        refused = admin.client.post(f"{URL}/{message_id}/retry")
        assert (refused.status_code, refused.get_json()["code"]) == (409, "already_sent")
        assert len(mailbox.mails) == 1


class TestBounce:
    def test_notes_that_a_message_came_back(self, app: Flask, admin: Caller, accept: Accept, mailbox: Mailbox) -> None:
        message_id = accept()
        refused = admin.client.post(f"{URL}/{message_id}/bounce", json={"reason": "550 no"})
        assert (refused.status_code, refused.get_json()["code"]) == (409, "not_sent")
        deliver(app, message_id)
        bounced = data(admin.client.post(f"{URL}/{message_id}/bounce", json={"reason": "550 5.1.1 unknown"}))
        assert (bounced["state"], bounced["reply"]) == ("bounced", "550 5.1.1 unknown")
        assert [m["id"] for m in data(admin.client.get(f"{URL}?state=bounced"))] == [message_id]
