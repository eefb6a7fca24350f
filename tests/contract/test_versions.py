"""Two versions of the API beside each other: the later one is the earlier one's list, but for what it says otherwise.

What a module's version 2 says is tested with the module; here is what holds whatever they say.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from application.api import v1, v2
from application.libs.openapi.schema_alternative import expanded
from application.libs.redprint import Mounted, Redprint, machinery
from tests.applications import built
from tests.conftest import Caller

DROPPED: frozenset[str] = frozenset()
"""Addresses of version 1 that version 2 serves no more, on purpose: `GET /blog/<id:>`."""

SHARED = frozenset(redprint.name for redprint in v1.REDPRINTS if redprint in v2.REDPRINTS)
"""Redprints that both versions serve as they are."""


def mounted(app: Flask, version: str) -> dict[str, Mounted]:
    """Return what a version serves, by method and path below its prefix."""
    found: dict[str, Mounted] = {}
    for item in machinery(app).mounted:
        if item.surface.name == version:
            method, path = item.address
            found[f"{method} {path.removeprefix(f'/api/{version}')}"] = item
    return found


def follows(redprint: Redprint) -> bool:
    """Tell whether version 1 serves the redprint, what it follows, or nothing of its name."""
    before = {known.name: known for known in v1.REDPRINTS}
    return redprint.name not in before or before[redprint.name] in (redprint, redprint.predecessor)


class TestList:
    def test_names_what_follows_the_version_before(self) -> None:
        strangers = [redprint.name for redprint in v2.REDPRINTS if not follows(redprint)]
        assert strangers == [], f"say what they follow, `Redprint(…, predecessor=…)`: {'; '.join(strangers)}"

    def test_serves_what_the_version_before_does(self, app: Flask) -> None:
        gone = mounted(app, "v1").keys() - mounted(app, "v2").keys() - DROPPED
        assert gone == set(), f"take them over (`take_over`), or name them in DROPPED: {'; '.join(sorted(gone))}"

    def test_lets_nobody_do_more_or_less(self, app: Flask) -> None:
        second = mounted(app, "v2")
        changed = [
            address
            for address, item in mounted(app, "v1").items()
            if address in second and _access(item) != _access(second[address])
        ]
        assert changed == [], f"who may call is a rule, and rules are those of all versions: {'; '.join(changed)}"


def _access(item: Mounted) -> tuple[str | None, bool]:
    return item.operation.permission, item.operation.public


class TestShared:
    @pytest.mark.parametrize("path", ["/tag", "/user", "/auth/me", "/user/{id}"])
    def test_answers_the_same_bytes(self, admin: Caller, path: str) -> None:
        if path.split("/")[1] not in SHARED:
            pytest.skip("version 2 says it otherwise")
        admin.client.post("/api/v1/tag", json={"name": "python"})
        old, new = (admin.client.get(f"/api/{version}{path.format(id=admin.id)}").data for version in ("v1", "v2"))
        assert old == new


class TestDocuments:
    def test_say_the_same_of_what_is_shared(self, app: Flask) -> None:
        said = {version: dict(operations(app, version)) for version in ("v1", "v2")}
        shared = {name for item in mounted(app, "v1").values() if item.redprint in SHARED for name in [name_of(item)]}
        differing = [name for name in sorted(shared) if said["v1"][name] != said["v2"][name]]
        assert differing == [], f"both versions serve them, and their documents differ: {'; '.join(differing)}"
        assert len(shared) >= 5

    def test_have_versions(self, app: Flask) -> None:
        info = [app.test_client().get(f"/api/{version}/openapi.json").get_json()["info"] for version in ("v1", "v2")]
        assert [one["version"] for one in info] == ["1.0.0", "2.0.0"]


def name_of(item: Mounted) -> str:
    """Return the `operationId` of an operation."""
    return f"{item.redprint}_{item.operation.name}"


def operations(app: Flask, version: str) -> Iterator[tuple[str, Any]]:
    """Yield what a document says of each operation, references filled in, without examples of requests."""
    text = app.test_client().get(f"/api/{version}/openapi.json").text
    document = app.json.loads(text.replace(f"/api/{version}", "/api"))
    for methods in document["paths"].values():
        for operation in methods.values():
            yield operation["operationId"], _without_examples(expanded(operation, document))


def _without_examples(node: Any) -> Any:
    if isinstance(node, list):
        return [_without_examples(member) for member in node]
    if isinstance(node, dict):
        return {key: _without_examples(value) for key, value in node.items() if key not in ("example", "examples")}
    return node


class TestDeprecation:
    @pytest.fixture
    def deprecated(self, tmp_path: Path) -> Iterator[FlaskClient]:
        """Serve version 1 as deprecated, from an empty database."""
        since = {"v1_deprecated_at": "2027-01-31T00:00:00Z", "v1_sunset_at": "2028-01-31T00:00:00Z"}
        with built(f"sqlite:///{tmp_path / 'd.db'}", tmp_path, **since) as app:
            yield app.test_client()

    def test_is_told_by_every_answer_of_version_1(self, deprecated: FlaskClient) -> None:
        for method, path, status in (
            ("GET", "/api/v1/openapi.json", 200),
            ("POST", "/api/v1/blog", 401),
            ("GET", "/api/v1/blog?limit=0", 422),
            ("GET", "/api/v1/nowhere", 404),
        ):
            response = deprecated.open(path, method=method, json={} if method == "POST" else None)
            assert response.status_code == status
            assert response.headers["Deprecation"] == "@1801353600"
            assert response.headers["Sunset"] == "Mon, 31 Jan 2028 00:00:00 GMT"
        link = deprecated.get("/api/v1/blog?limit=0").headers["Link"]
        assert link == '</api/v2/blog>; rel="successor-version"'

    def test_is_told_nowhere_else(self, deprecated: FlaskClient, client: FlaskClient) -> None:
        for path in ("/api/v2/openapi.json", "/api/v2/blog?limit=0", "/scheduler", "/api", "/"):
            assert not {"Deprecation", "Sunset"} & set(deprecated.get(path, buffered=True).headers.keys()), path
        assert not {"Deprecation", "Sunset", "Link"} & set(client.get("/api/v1/blog").headers.keys())

    def test_is_in_the_document(self, deprecated: FlaskClient) -> None:
        for version, marks in (("v1", {True}), ("v2", {None})):
            paths = deprecated.get(f"/api/{version}/openapi.json").get_json()["paths"]
            api = [operations for path, operations in paths.items() if path.startswith("/api/")]
            assert {item.get("deprecated") for operations in api for item in operations.values()} == marks
