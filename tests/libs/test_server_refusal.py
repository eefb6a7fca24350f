"""What the server says by itself; tests/e2e/test_server_framing.py provokes it for real."""

import json
import logging
import socket

import pytest

from application.libs.server_refusal import write_refusal


def written(status: int) -> tuple[str, dict[str, object]]:
    """Return the head and the members of what is written to a connection."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        write_refusal(ours, status, "Reason", "Invalid Method 'swordfish'")
        head, _, body = theirs.recv(65536).decode().partition("\r\n\r\n")
    return head, json.loads(body)


class TestWriteRefusal:
    @pytest.mark.parametrize(
        ("status", "answered", "code"),
        [
            (400, 400, "bad_request"),
            (403, 403, "forbidden"),
            (414, 414, "address_too_long"),
            (417, 417, "expectation_failed"),
            (431, 431, "headers_too_large"),
            (500, 500, "internal_error"),
            (501, 501, "coding_not_implemented"),
            (418, 400, "bad_request"),
            (599, 500, "internal_error"),
        ],
    )
    def test_names_the_status_everywhere(self, status: int, answered: int, code: str) -> None:
        head, members = written(status)
        assert head.startswith(f"HTTP/1.1 {answered} ")
        assert (members["status"], members["code"]) == (answered, code)

    def test_repeats_nothing_of_what_was_sent(self) -> None:
        head, members = written(400)
        assert "swordfish" not in head + json.dumps(members)
        assert "Content-Type: application/problem+json\r\n" in head

    def test_gives_each_answer_an_id_of_its_own(self, caplog: pytest.LogCaptureFixture) -> None:
        with caplog.at_level(logging.WARNING):
            ids = [written(400)[1]["request_id"] for _ in range(2)]
        assert ids[0] != ids[1]
        assert all(str(request_id) in caplog.text for request_id in ids)
