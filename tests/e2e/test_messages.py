"""Messages of a real server: accepted by its web process, sent by a task to a real mail server or provider."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from tests.e2e.conftest import Serve
from tests.e2e.server import PASSWORD, Server
from tests.mail_server import Mailbox, mail_server
from tests.port import free_port
from tests.sms_provider import Provider, sms_provider
from tests.waiting import wait_until

Ask = Callable[..., Any]


@pytest.fixture
def provider() -> Iterator[Provider]:
    with sms_provider() as running:
        yield running


def admin(served: Server) -> Ask:
    """Return what asks about messages as an admin."""
    assert served.manage("create-admin").returncode == 0
    served.await_runner()
    session = requests.Session()
    answer = session.post(f"{served.url}/api/v1/auth/login", json={"name": "admin", "password": PASSWORD}, timeout=10)
    session.headers["Authorization"] = f"Bearer {answer.json()['data']['token']}"

    def ask(path: str, **body: Any) -> Any:
        method = "POST" if body or path.endswith("retry") else "GET"
        answer = session.request(method, f"{served.url}/api/v1/message{path}", json=body or None, timeout=10)
        assert answer.ok, answer.text
        return answer.json()["data"]

    return ask


class TestMail:
    def test_is_sent_by_a_task_also_after_an_outage(self, server: Serve) -> None:
        mailbox, port = Mailbox(), free_port()
        served = server(mail_backend="smtp", mail_server="127.0.0.1", mail_port=port, mail_from="A <a@example.org>")
        ask = admin(served)
        message = ask("/test", channel="mail", to="ada@example.org", language="zh")
        path = f"/{message['id']}"
        wait_until(lambda: ask(path)["attempts"] >= 1 and ask(path)["reply"], 30, served.said)
        assert ask(path)["state"] == "queued"
        assert "is not reached" in ask(path)["reply"]
        with mail_server(mailbox, port=port):
            wait_until(lambda: ask(path)["state"] == "sent", 60, served.said)
        (mail,) = mailbox.mails
        assert (mail["To"], mail["Subject"]) == ("ada@example.org", "测试消息")
        assert mail["Message-ID"] == f"<{message['id']}@example.org>"

    def test_that_is_refused_is_seen_and_tried_again(self, server: Serve) -> None:
        mailbox = Mailbox()
        mailbox.refused["ada@example.org"] = "550 5.1.1 mailbox unknown"
        with mail_server(mailbox) as port:
            served = server(mail_backend="smtp", mail_server="127.0.0.1", mail_port=port)
            ask = admin(served)
            path = f"/{ask('/test', channel='mail', to='ada@example.org')['id']}"
            wait_until(lambda: ask(path)["state"] == "failed", 30, served.said)
            assert (ask(path)["reply"], ask(path)["attempts"]) == ("550 5.1.1 mailbox unknown", 1)
            mailbox.refused.clear()
            ask(f"{path}/retry")
            wait_until(lambda: ask(path)["state"] == "sent", 30, served.said)
        assert len(mailbox.mails) == 1

    @pytest.mark.timeout(240)  # ten seconds of silence, and processes that start
    def test_is_sent_again_by_another_process_where_the_first_one_dies(self, server: Serve) -> None:
        mailbox = Mailbox()
        mailbox.hold = True
        with mail_server(mailbox) as port:
            served = server(mail_backend="smtp", mail_server="127.0.0.1", mail_port=port)
            ask = admin(served)
            path = f"/{ask('/test', channel='mail', to='ada@example.org')['id']}"
            mailbox.wait(1)
            first = served.await_runner()
            first.kill()
            mailbox.hold = False
            served.await_runner(other_than=first.pid)
            wait_until(lambda: ask(path)["state"] == "sent", 150, served.said)
        assert ask(path)["attempts"] == len(mailbox.mails) == 2
        assert len({mail["Message-ID"] for mail in mailbox.mails}) == 1


class TestSms:
    def test_is_sent_by_a_task(self, server: Serve, provider: Provider) -> None:
        served = server(
            sms_url=provider.url, sms_body='{"to": "{to}", "text": "{text}"}', sms_ok='"sid": "(?P<id>.*?)"'
        )
        ask = admin(served)
        path = f"/{ask('/test', channel='sms', to='+49 151 12345678')['id']}"
        wait_until(lambda: ask(path)["state"] == "sent", 30, served.said)
        assert ask(path)["reply"] == "SM42"
        assert "+4915112345678" in provider.asked[0].body
