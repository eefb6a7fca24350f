"""Use the API and the sockets from a page of another origin: what a listed one may, and what nobody else may."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer  # by name: eventlet swaps the package's attribute
from typing import Any

import pytest
import requests
import websocket
from playwright.sync_api import Page

from tests.e2e.browser import visit
from tests.e2e.conftest import ASYNC_MODES, Serve
from tests.e2e.server import PASSWORD, Server

FETCH = """async ([url, options]) => {
    const answer = await fetch(url, options);
    return {
        status: answer.status, tag: answer.headers.get('ETag'), id: answer.headers.get('X-Request-ID'),
        body: answer.status === 204 ? null : await answer.json(),
    };
}"""


class BlankPage(BaseHTTPRequestHandler):
    """Serve the page of another site: nothing but a title."""

    def do_GET(self) -> None:
        body = b"<!doctype html><title>Elsewhere</title><link rel='icon' href='data:,'>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: Any) -> None:
        """Say nothing."""


@contextmanager
def other_site() -> Iterator[str]:
    """Serve another site and give its origin."""
    with ThreadingHTTPServer(("127.0.0.1", 0), BlankPage) as site:
        thread = threading.Thread(target=site.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{site.server_port}"
        finally:
            site.shutdown()
            thread.join()


def fetch(page: Page, server: Server, path: str, **options: Any) -> dict[str, Any]:
    """Let the page ask the API as its own scripts would."""
    answer: dict[str, Any] = page.evaluate(FETCH, [f"{server.url}{path}", options])
    return answer


class TestPage:
    def test_of_a_listed_origin_signs_in_writes_and_reads_errors(self, server: Serve) -> None:
        with other_site() as origin:
            served = server(cors_origins=f"https://app.example,{origin}")
            assert served.manage("create-admin").returncode == 0
            with visit(origin) as visited, visited.forgiving():
                page = visited.page
                json_type = {"Content-Type": "application/json"}
                body = f'{{"name": "admin", "password": "{PASSWORD}"}}'
                signed = fetch(page, served, "/api/v1/auth/login", method="POST", headers=json_type, body=body)
                known = {**json_type, "Authorization": f"Bearer {signed['body']['data']['token']}"}
                tag = fetch(page, served, "/api/v1/tag", method="POST", headers=known, body='{"name": "far"}')
                asked = {**known, "X-Request-ID": "far-1"}
                listed = fetch(page, served, "/api/v1/tag", headers=asked)

            assert (signed["status"], tag["status"], listed["status"]) == (200, 201, 200)
            assert [item["name"] for item in listed["body"]["data"]] == ["far"]
            assert listed["id"] == "far-1"

    def test_of_another_origin_learns_nothing(self, server: Serve) -> None:
        with other_site() as origin:
            served = server(cors_origins="https://app.example")
            with visit(origin) as visited:
                asking = f"() => fetch('{served.url}/api/v1/blog').then(() => 'read', (error) => error.name)"
                with visited.forgiving(re.compile("CORS policy|net::ERR_FAILED")):
                    assert visited.page.evaluate(asking) == "TypeError"


class TestSockets:
    @pytest.mark.parametrize("async_mode", ASYNC_MODES)
    def test_take_pages_of_listed_origins_and_their_own(self, server: Serve, async_mode: str) -> None:
        served = server(async_mode=async_mode, cors_origins="https://app.example")

        assert [connects(served, origin) for origin in ("https://app.example", served.url)] == [True, True]
        for stranger in ("https://evil.example", "null", "https://app.example.evil.example", "https://x.app.example"):
            assert not connects(served, stranger)

    def test_take_pages_of_their_own_origin_by_default(self, server: Serve) -> None:
        served = server()

        assert connects(served, served.url)
        assert not connects(served, "https://app.example")


def connects(server: Server, origin: str) -> bool:
    """Tell whether a page of this origin gets a socket, by polling and over a websocket alike."""
    polled = requests.get(f"{server.url}/socket.io/?EIO=4&transport=polling", headers={"Origin": origin}, timeout=10)
    address = f"ws://127.0.0.1:{server.port}/socket.io/?EIO=4&transport=websocket"
    try:
        websocket.create_connection(address, origin=origin, timeout=10).close()
    except websocket.WebSocketBadStatusException:
        assert polled.status_code == 400
        assert "Access-Control-Allow-Origin" not in polled.headers
        return False
    assert polled.status_code == 200
    assert polled.headers["Access-Control-Allow-Origin"] == origin
    assert "Access-Control-Allow-Credentials" not in polled.headers
    return True
