"""Which addresses there are: what is in no document is listed here, and what attackers look for first is not there."""

import pytest
from flask import Flask

pytestmark = [pytest.mark.one_database, pytest.mark.repeats]

SURFACES = ("/api/v1/", "/api/v2/", "/scheduler")
"""Where everything is an operation of a document, or the document itself (`tests/api/test_document.py`)."""

PAGES = {
    "/",
    "/api/asyncapi.json",
    "/dashboard/assets/<path:filename>",
    "/dashboard/config.json",
    "/dashboard/plain/<path:filename>",
    "/dashboard/session.json",
    "/docs",
    "/docs/<name>",
    "/docs/assets/<filename>",
    "/docs/plain/<path:filename>",
    "/favicon.ico",
    "/forgot-password",
    "/jobs",
    "/jobs/<job_id>",
    "/jobs/<job_id>/edit",
    "/new-job",
    "/new-task",
    "/reset-password",
    "/runs/<run_id>",
    "/second-factor",
    "/sign-in",
    "/sign-out",
    "/tasks",
    "/tasks/<task_id>",
}
"""All other addresses: pages without data, which ask the API as everybody does, and the door of browsers."""

CHANGING = {"/forgot-password", "/reset-password", "/second-factor", "/sign-in", "/sign-out"}
"""Those that take more than a reading method."""

NOT_THERE = (
    "/console",
    "/openapi.json",
    "/metrics",
    "/.git/config",
    "/.git/HEAD",
    "/.env",
    "/.secret_key",
    "/application.db",
    "/static/../manage.py",
    "/static/..%2f..%2f.env",
    "/dashboard/plain/../pages.py",
    "/dashboard/plain/..%2fpages.py",
    "/dashboard/plain/%2e%2e/%2e%2e/pages.py",
    "/dashboard/plain/..%5cpages.py",
    "/dashboard/assets/../index.html",
    "/docs/assets/..%2findex.html",
    "/docs/plain/..%2fpages.py",
    "/dashboard/plain//etc/passwd",
    "/dashboard/plain/theme.js%00.css",
    "/server-status",
    "/actuator/env",
    "/phpinfo.php",
    "/wp-login.php",
    "/admin",
    "/debug",
    "/api",
    "/api/v1",
    "/api/v3/blog",
    "/logs/application.log",
    "//evil.example/",
)


class TestUrlMap:
    def test_has_no_page_that_is_not_listed(self, app: Flask) -> None:
        beside = {rule.rule for rule in app.url_map.iter_rules() if not rule.rule.startswith(SURFACES)}
        assert beside == PAGES, "list it here with what it is, or mount it on a surface"

    def test_has_no_page_that_changes_anything(self, app: Flask) -> None:
        changing = {
            rule.rule
            for rule in app.url_map.iter_rules()
            if not rule.rule.startswith(SURFACES) and (rule.methods or set()) - {"GET", "HEAD", "OPTIONS"}
        }
        assert changing == CHANGING


class TestAddress:
    @pytest.mark.parametrize("path", NOT_THERE)
    def test_that_attackers_look_for_is_not_there(self, app: Flask, path: str) -> None:
        response = app.test_client().get(path, follow_redirects=False)
        assert response.status_code in (400, 404), response.text
        assert "Location" not in response.headers

    @pytest.mark.parametrize("path", ["/", "/nowhere", "/api/v1/blog", "/api/v1/nowhere", "/scheduler/jobs"])
    def test_has_no_debugger(self, app: Flask, path: str) -> None:
        for query in ("__debugger__=yes&cmd=resource&f=debugger.js", "__debugger__=yes&cmd=pinauth&pin=1", "debug=1"):
            with app.test_client().get(f"{path}?{query}", buffered=True) as response:
                assert response.status_code in (200, 401, 404, 422)
                assert b"EVALEX" not in response.data
                assert b"SECRET" not in response.data
