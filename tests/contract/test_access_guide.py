"""The guide's example of how an endpoint is protected, served as it is printed."""

import re
from importlib import import_module
from pathlib import Path

import pytest
from flask import Flask

from application.api import v1
from application.database import transaction
from application.modules.session import business as sessions
from application.modules.user import business as user_business
from application.permissions import Role
from tests.applications import migrated

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "access.md"

pytestmark = pytest.mark.one_database


def printed() -> str:
    """Return the example."""
    found = re.search(r"<!-- python: protect -->\n```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    return found[1]


def token_of(app: Flask, name: str, *roles: Role) -> dict[str, str]:
    with app.app_context(), transaction():
        user = user_business.create(name=name, password_hash=None, roles=roles)
        return {"Authorization": f"Bearer {sessions.begin(user.id).token}"}


class TestProtect:
    def test_lets_in_who_holds_the_permission(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        module = tmp_path / "greeting.py"
        module.write_text(printed(), encoding="utf-8")
        monkeypatch.syspath_prepend(tmp_path)
        greeting = import_module("greeting").greeting
        monkeypatch.setattr(v1, "REDPRINTS", (*v1.REDPRINTS, greeting))
        with migrated(f"sqlite:///{tmp_path}/application.db", tmp_path) as app:
            client = app.test_client()
            callers = [{}, token_of(app, "ada", Role.USER), token_of(app, "root", Role.ADMIN)]
            answers = [client.get("/api/v1/greeting", headers=headers) for headers in callers]
            assert [answer.status_code for answer in answers] == [401, 403, 200]
            assert answers[2].get_json()["data"] == {"text": "hello"}
            document = client.get("/api/v1/openapi.json").get_json()
            assert {"401", "403"} <= document["paths"]["/api/v1/greeting"]["get"]["responses"].keys()
            opened = client.get("/api/v1/permission", headers=callers[2]).get_json()["data"]
            (found,) = [one for one in opened if one["name"] == "tag:manage"]
            assert {"method": "GET", "path": "/api/v1/greeting"} in found["routes"]
