"""Names that are scripts: the API gives them back as they are, in JSON that no browser takes for a page."""

import json

import pytest

from tests.conftest import Caller

pytestmark = [pytest.mark.one_database, pytest.mark.repeats]

SCRIPT = "</script><script>alert(1)</script>\u2028<img src=x>"


class TestAnswers:
    @pytest.mark.parametrize(
        ("path", "body", "field"),
        [
            ("/api/v1/blog", {"title": SCRIPT.replace("\u2028", ""), "content": SCRIPT}, "content"),
            ("/api/v2/blog", {"title": SCRIPT.replace("\u2028", ""), "body": {"text": SCRIPT}}, "title"),
            ("/api/v1/tag", {"name": SCRIPT.replace("\u2028", "")}, "name"),
            ("/api/v1/user", {"name": SCRIPT.replace("\u2028", ""), "password": "correct horse"}, "name"),
            ("/api/v1/role", {"name": "<b>", "permissions": [], "description": "<script>alert(1)</script>"}, "name"),
            (
                "/scheduler/jobs",
                {"id": "s", "func": "prune-expired-sessions", "trigger": "interval", "hours": 1, "name": SCRIPT[:50]},
                "name",
            ),
        ],
    )
    def test_are_json_whatever_the_name(self, admin: Caller, path: str, body: dict[str, object], field: str) -> None:
        made = admin.client.post(path, json=body, headers={"Accept": "text/html, application/json;q=0.1, */*;q=0.1"})
        assert made.status_code in (200, 201), made.text
        assert made.mimetype == "application/json"
        assert made.headers["X-Content-Type-Options"] == "nosniff"
        given = json.loads(made.data)
        assert given.get("data", given)[field] == body[field]

    def test_that_refuse_do_not_repeat_it(self, admin: Caller) -> None:
        for answer in (
            admin.client.post("/api/v1/tag", json={"name": "<script>" * 100}),
            admin.client.get("/api/v1/blog?sort=<script>alert(1)</script>"),
            admin.client.get("/nowhere/<script>alert(1)</script>"),
        ):
            assert answer.status_code in (404, 422)
            assert "<script>alert" not in answer.text
