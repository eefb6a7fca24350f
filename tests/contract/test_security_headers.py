"""The headers and the markup of every answer, whatever its address and status: nothing foreign is loaded or run."""

import re
from collections.abc import Iterator

import pytest
from flask import Flask
from werkzeug.wrappers import Response

from tests.contract.access import World
from tests.contract.access_table import ACCESS, FEATURES

pytestmark = [pytest.mark.one_database, pytest.mark.repeats]

DATA = "default-src 'none'; frame-ancestors 'none'"
PAGE = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
FORMLESS = PAGE.replace("form-action 'self'", "form-action 'none'")
"""The documentation's, whose page has no form to send."""

INLINE = re.compile(
    r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+\s*=|javascript:"
    r"|(?:src|href|action)\s*=\s*[\"']?(?:https?:)?//",
    re.I,
)
"""Markup that runs or loads what is not a file of this server."""

REFERRERS = ("same-origin", "strict-origin", "no-referrer")
"""The second for pages whose address may hold a token: other pages of this site are not told of it, either."""

FILES = ("/content", "/thumbnail", "/download")
"""Ends of paths whose bytes the caller's own cache may keep, and asks for anew each time."""

PAGES = {
    "/": 200,
    "/jobs": 200,
    "/sign-in": 200,
    "/forgot-password": 200,
    "/reset-password": 200,
    "/docs": 200,
    "/docs/v1": 200,
    "/docs/none": 404,
    "/favicon.ico": 200,
    "/dashboard/plain/theme.js": 200,
    "/dashboard/assets/none.js": 404,
    "/dashboard/config.json": 200,
    "/dashboard/session.json": 200,
    "/nowhere": 404,
    "/api/v1/nowhere": 404,
    "/api/nowhere": 404,
    "/scheduler/nowhere": 404,
}


def faults(response: Response, path: str) -> Iterator[str]:
    """Yield what is wrong with the headers of an answer."""
    headers = response.headers
    if headers.get("X-Content-Type-Options") != "nosniff":
        yield "may be sniffed"
    if headers.get("Referrer-Policy") not in REFERRERS:
        yield "sends referrers"
    if "Server" in headers or "X-Powered-By" in headers:
        yield "names the server"
    if headers.getlist("Content-Security-Policy") not in [[policy] for policy in policies(response, path)]:
        yield f"has the policy {headers.getlist('Content-Security-Policy')}"
    if response.mimetype == "text/html" and headers.get("Cross-Origin-Opener-Policy") != "same-origin":
        yield "can be held by who opened it"
    kept = "private, no-cache" if path.endswith(FILES) and response.status_code == 200 else "no-store"
    if path.startswith(("/api", "/scheduler")) and not headers.get("Cache-Control", "").startswith(kept):
        yield f"may be kept: {headers.get('Cache-Control')}"


def policies(response: Response, path: str) -> tuple[str, ...]:
    """Return the policies an answer may have: pages their own, files beside pages either, data the strictest."""
    if path.startswith("/docs"):
        return (FORMLESS,)
    if response.mimetype == "text/html":  # also what /scheduler says to strangers, as Flask-APScheduler does
        return (PAGE,)
    return (DATA,) if path.startswith(("/api", "/scheduler")) else (DATA, PAGE)


class TestEveryAnswer:
    @pytest.mark.parametrize("caller", ["nobody", "user", "admin"])
    def test_of_the_api_is_closed(self, app: Flask, caller: str) -> None:
        world = World(app, FEATURES)
        found, statuses = [], set()
        for route in sorted(ACCESS, key=lambda route: (route.startswith("DELETE"), "logout" in route)):
            path = world.path(route)
            for method in ("", "PURGE"):
                response = world.send(route, caller, method=method)
                statuses.add(response.status_code)
                found += [f"{route} {method}: {fault}" for fault in faults(response, path)]
        assert found == []
        assert {200, 405, 401 if caller == "nobody" else 404} <= statuses

    @pytest.mark.parametrize("path", PAGES)
    def test_of_a_page_is_closed(self, app: Flask, path: str) -> None:
        with app.test_client().get(path, buffered=True) as response:
            assert response.status_code == PAGES[path]
            assert list(faults(response, path)) == []
            assert "Strict-Transport-Security" not in response.headers
            if response.mimetype == "text/html":
                assert INLINE.findall(response.get_data(as_text=True)) == []
        with app.test_client().get(path, base_url="https://localhost", buffered=True) as secure:
            assert secure.headers["Strict-Transport-Security"] == "max-age=31536000"

    def test_is_closed_where_the_edge_refuses(self, app: Flask) -> None:
        client = app.test_client()
        refusals = {
            client.get("/api/v1/blog", base_url="http://evil.example"): 400,
            client.post("/api/v1/auth/login", data=b" " * 1_048_577, content_type="application/json"): 413,
            client.post("/api/v1/auth/login", data=b"{", content_type="application/json"): 400,
            client.post("/api/v1/auth/login", data=b"{}", content_type="text/plain"): 415,
            client.get("/api/v1/blog?limit=x"): 422,
            client.get("/api/v1/blog", headers={"Accept": "text/html"}): 406,
        }
        for response, status in refusals.items():
            assert (response.status_code, response.mimetype) == (status, "application/problem+json")
            assert list(faults(response, "/api/v1/blog")) == []
