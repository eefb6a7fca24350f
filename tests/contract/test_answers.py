"""What is answered fits what the API document promises: statuses, media types, bodies and headers.

Under test the machinery compares answers with the schemas in Python already; here they are compared with the document
that clients read, refusals too.
"""

import json
import re
from fnmatch import fnmatchcase
from typing import Any

import pytest
from flask import Flask
from jsonschema import Draft202012Validator, FormatChecker
from werkzeug.test import TestResponse

from application.config.scheduler import SCHEDULER_JOBS
from application.database import transaction
from application.libs import clock
from application.modules.scheduler.business import declared
from application.modules.scheduler.business.definition import declare
from tests.contract.access import CALLERS, VERSIONS, World
from tests.contract.access_table import ACCESS, FEATURES
from tests.modules.scheduler.conftest import DEFAULTS, STORES

Json = dict[str, Any]

DOCUMENTS = ("/openapi.json", "/asyncapi.json")
JOB = str(SCHEDULER_JOBS[0]["id"])


@pytest.fixture
def world(app: Flask) -> World:
    """Create users, what one of them owns, and the jobs that are scheduled from the start."""
    with app.app_context(), transaction():
        declared.reconcile(STORES, declare(SCHEDULER_JOBS, timezone="UTC", defaults=DEFAULTS), clock.now())
    return World(app, FEATURES)


class Promise:
    """Hold a version's document, compare answers with it, and remember what was answered."""

    def __init__(self, app: Flask, version: str) -> None:
        """Read the document as a client does."""
        self.document: Json = _closed(app.test_client().get(f"/api/{version}/openapi.json").get_json())
        self.seen: set[tuple[str, str]] = set()

    def check(self, response: TestResponse) -> None:
        """Fail for an answer that the document does not allow."""
        method = response.request.method.lower()
        entry = self._entry(response.request.path, method)
        where = f"{entry['operationId']} {response.status_code}"
        assert str(response.status_code) in entry["responses"], f"{where} is not promised: {response.text}"
        promised = self._follow(entry["responses"][str(response.status_code)])
        self.seen.add((entry["operationId"], str(response.status_code)))
        self._check_headers(response, promised["headers"], where)
        if not promised.get("content"):
            assert response.data == b"", where
            return
        media_type = str(response.mimetype)
        found = next((known for known in promised["content"] if fnmatchcase(media_type, known)), None)
        assert found is not None, f"{where}: {media_type}"
        value = json.loads(response.data) if media_type.endswith("json") else response.data.decode("latin-1")
        self._validate(promised["content"][found]["schema"], value)

    def _entry(self, path: str, method: str) -> Json:
        found = [
            methods[method]
            for template, methods in self.document["paths"].items()
            if method in methods and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path)
        ]
        exact = self.document["paths"].get(path, {}).get(method)  # a name goes before a parameter
        assert exact or len(found) == 1, f"{method} {path}"
        entry: Json = exact or found[0]
        return entry

    def _check_headers(self, response: TestResponse, promised: Json, where: str) -> None:
        for name, reference in promised.items():
            header = self._follow(reference)
            value: str | int | None = response.headers.get(name)
            assert value is not None or not header.get("required"), f"{where} has no {name}"
            if value is not None:
                kind = header["schema"].get("type")
                self._validate(header["schema"], int(value) if kind == "integer" else value)

    def _validate(self, schema: Json, value: object) -> None:
        whole = {**schema, "components": self.document["components"]}
        Draft202012Validator(whole, format_checker=FormatChecker()).validate(value)

    def _follow(self, item: Json) -> Json:
        if "$ref" not in item:
            return item
        found: Json = self.document
        for part in item["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        return found


def _closed(node: Any) -> Any:
    """Return a document whose objects have the members they describe and no others, as answers must here.

    To clients it leaves them open, since an answer may gain members.
    """
    if isinstance(node, list):
        return [_closed(member) for member in node]
    if not isinstance(node, dict):
        return node
    made = {key: _closed(value) for key, value in node.items()}
    if made.get("type") == "object" and "properties" in made:
        made.setdefault("additionalProperties", False)
    return made


@pytest.fixture(params=VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def promise(app: Flask, version: str) -> Promise:
    return Promise(app, version)


class TestAnswers:
    def test_to_every_caller_are_promised(self, world: World, promise: Promise, version: str) -> None:
        routes = [
            route
            for route in ACCESS
            if route.split(" ")[1].startswith((f"/api/{version}/", "/scheduler")) and not route.endswith(DOCUMENTS)
        ]
        for route in sorted(routes, key=lambda route: route.startswith("DELETE") or route.endswith("/logout")):
            for caller in CALLERS:
                promise.check(world.send(route, caller))
        operations = [entry for methods in promise.document["paths"].values() for entry in methods.values()]
        unseen = sorted({entry["operationId"] for entry in operations} - {name for name, _status in promise.seen})
        assert unseen == [], f"nobody asked for them: {'; '.join(unseen)}"

    def test_about_jobs_are_promised(self, world: World, promise: Promise) -> None:
        admin = world.client("admin")
        for path in ("", "/jobs", f"/jobs/{JOB}", f"/jobs/{JOB}/runs"):
            response = admin.get(f"/scheduler{path}")
            assert response.status_code == 200
            promise.check(response)
        for verb in ("pause", "resume", "run"):
            response = admin.post(f"/scheduler/jobs/{JOB}/{verb}")
            assert response.status_code == 200
            promise.check(response)
        runs = admin.get(f"/scheduler/jobs/{JOB}/runs?limit=1")
        assert len(runs.get_json()) == 1
        promise.check(runs)
        promise.check(admin.post(f"/scheduler/jobs/{JOB}/run", headers={"Origin": "http://evil.example"}))
        assert ("scheduler_run_job", "403") in promise.seen

    @pytest.mark.parametrize(
        ("method", "path", "options", "status"),
        [
            ("POST", "/tag", {"data": b"{", "content_type": "application/json"}, 400),
            ("POST", "/tag", {"json": {"name": "a"}, "headers": {"Idempotency-Key": "\x7f"}}, 400),
            ("GET", "/tag", {"headers": {"Authorization": "Bearer wrong"}}, 401),
            ("POST", "/auth/login", {"json": {"name": "user", "password": "wrong"}}, 401),
            ("GET", "/tag/no-id", {}, 404),
            ("GET", "/tag", {"headers": {"Accept": "image/png"}}, 406),
            ("POST", "/tag", {"json": {"name": "python"}}, 409),
            ("PUT", "/tag/{tag_id}", {"json": {"name": "a"}, "headers": {"If-Match": '"stale"'}}, 412),
            ("POST", "/tag", {"data": b" " * 2_000_000, "content_type": "application/json"}, 413),
            ("POST", "/tag", {"data": b"{}", "content_type": "text/plain"}, 415),
            ("POST", "/tag", {"json": {"name": 1, "more": 2}}, 422),
            ("POST", "/blog", {"json": {}}, 422),
            ("GET", "/tag?limit=0&after=x", {}, 422),
            ("GET", "/tag?after=x", {}, 422),
            ("GET", "/blog?sort=nothing", {}, 422),
        ],
    )
    def test_that_refuse_are_promised(
        self,
        world: World,
        promise: Promise,
        version: str,
        method: str,
        path: str,
        options: dict[str, Any],
        status: int,
    ) -> None:
        address = f"/api/{version}{path.format(tag_id=world.values['tag_id'])}"
        response = world.client("admin").open(address, method=method, **options)
        assert response.status_code == status
        promise.check(response)

    def test_that_save_work_are_promised(self, world: World, promise: Promise, version: str) -> None:
        owner, prefix = world.client("owner"), f"/api/{version}"
        world.made("/api/v1/blog", {"title": "Another", "content": ""})
        first = owner.get(f"{prefix}/blog?limit=1&count=true")
        assert "Link" in first.headers
        promise.check(first)
        again = owner.get(f"{prefix}/blog?limit=1&count=true", headers={"If-None-Match": first.headers["ETag"]})
        assert again.status_code == 304
        promise.check(again)
        for _twice in range(2):
            made = owner.post(f"{prefix}/tag", json={"name": "once"}, headers={"Idempotency-Key": "k"})
            assert made.status_code == 201
            promise.check(made)
        assert made.headers["Idempotency-Replayed"] == "true"
        reused = owner.post(f"{prefix}/tag", json={"name": "twice"}, headers={"Idempotency-Key": "k"})
        assert reused.status_code == 422
        promise.check(reused)


class TestPromise:
    def test_is_broken_by_another_answer(self, world: World, promise: Promise, version: str) -> None:
        response = world.client("admin").get(f"/api/{version}/tag")
        promise.check(response)
        promise.document["components"]["schemas"]["TagOut"]["properties"]["name"] = {"type": "integer"}
        with pytest.raises(Exception, match="is not of type 'integer'"):
            promise.check(response)

    def test_is_broken_by_a_member_it_does_not_name(self, world: World, promise: Promise, version: str) -> None:
        response = world.client("admin").get(f"/api/{version}/tag")
        described = promise.document["components"]["schemas"]["TagOut"]
        described["required"].remove("name")
        del described["properties"]["name"]
        with pytest.raises(Exception, match="'name' was unexpected"):
            promise.check(response)
