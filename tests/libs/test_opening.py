"""Which addresses a permission opens."""

import pytest
from flask import Flask

from application.libs.opening import opened
from application.libs.redprint import machinery
from application.permissions import Permission

pytestmark = pytest.mark.one_database


class TestOpened:
    def test_names_every_operation_that_asks_for_a_permission_once(self, app: Flask) -> None:
        asking = [item.operation for item in machinery(app).mounted if item.operation.permission]
        found = opened(app)
        assert sum(map(len, found.values())) == len(asking) > 50
        assert found.keys() <= set(Permission)

    def test_writes_paths_as_the_document_does(self, app: Flask) -> None:
        document = app.test_client().get("/api/v1/openapi.json").get_json()["paths"]
        ours = [one for found in opened(app).values() for one in found if not one[1].startswith("/api/v2/")]
        assert [(method, path) for method, path in ours if method.lower() not in document.get(path, ())] == []
