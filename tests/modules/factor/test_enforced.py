"""What an administrator may do where the settings want a second factor of them."""

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from application.cli import database
from application.database import transaction
from application.extensions import socketio
from application.libs.auth import Credentials
from application.modules.auth import business as auth
from application.modules.user import business as user_business
from application.permissions import ADMINISTRATIVE, Permission, Role
from tests.applications import migrated
from tests.modules.factor.conftest import HASH, PASSWORD, Enrol
from tests.modules.factor.test_endpoints import FACTOR, enrolled, proof, refused, signed_in
from tests.moments import at
from tests.services import DATABASES, fresh_database
from tests.statements import statements


@pytest.fixture(scope="module", params=DATABASES)
def migrated_app(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """Build an application that wants a second factor of administrators."""
    folder: Path = tmp_path_factory.mktemp(request.param)
    wanted = {"second_factor_for_admins": True, "second_factor_issuer": "Example", "rate_limits_enabled": False}
    with fresh_database(request.param, folder) as url, migrated(url, folder, **wanted) as app:
        yield app


@pytest.fixture
def app(migrated_app: Flask) -> Iterator[Flask]:
    """Lend it with empty tables, at `NOW`."""
    with at():
        yield migrated_app
    with migrated_app.app_context():
        database.clear_database()


@pytest.fixture
def root(app: Flask) -> FlaskClient:
    """Sign an administrator in who has no second factor."""
    with app.app_context(), transaction():
        user_business.create(name="root", password_hash=HASH, roles=[Role.ADMIN, Role.USER])
        user_business.create(name="ada", password_hash=HASH)
    return signed_in(app, "root")


def permissions(client: FlaskClient) -> list[str]:
    found: list[str] = client.get("/api/v1/auth/me").get_json()["data"]["permissions"]
    return found


def viewer(app: Flask, client: FlaskClient) -> bool:
    """Tell whether a client's session may see the live values."""
    token = client.environ_base["HTTP_AUTHORIZATION"].removeprefix("Bearer ")
    socket = socketio.test_client(app, namespace="/ws", auth={"token": token})
    connected: bool = socket.is_connected("/ws")
    if connected:
        socket.disconnect(namespace="/ws")
    return connected


class TestIdentify:
    def test_gives_an_admin_no_permissions_but_lets_them_set_one_up(self, app: Flask, root: FlaskClient) -> None:
        assert permissions(root) == []
        answer = root.get("/api/v1/user")
        assert refused(answer) == (403, "permission_missing")
        assert "/second-factor" in answer.get_json()["detail"]
        assert root.get(FACTOR).get_json()["data"]["is_required"]
        assert root.post("/api/v1/tag", json={"name": "x"}).status_code == 403  # what users may, neither
        phone = enrolled(root, "root")
        assert permissions(root) == sorted(Permission)
        assert root.get("/api/v1/user").status_code == 200
        with at(minutes=1):
            assert permissions(signed_in(app, "root", phone.code())) == sorted(Permission)
        assert permissions(signed_in(app, "root", phone.recovery_codes[0])) == sorted(Permission)

    def test_leaves_everybody_else_alone(self, app: Flask, root: FlaskClient) -> None:
        ada = signed_in(app, "ada")
        assert not ada.get(FACTOR).get_json()["data"]["is_required"]
        assert set(permissions(ada)).isdisjoint(ADMINISTRATIVE)
        assert ada.post("/api/v1/tag", json={"name": "x"}).status_code == 201

    def test_goes_on_after_a_refresh(self, app: Flask, root: FlaskClient) -> None:
        phone = enrolled(root, "root")
        with at(minutes=1):
            body = {"name": "root", "password": PASSWORD, "code": phone.code()}
            client = app.test_client()
            tokens = client.post("/api/v1/auth/login", json=body).get_json()["data"]
            again = client.post("/api/v1/auth/refresh", json={"refresh_token": tokens["refresh_token"]}).get_json()
            client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {again['data']['token']}"
            assert permissions(client) == sorted(Permission)

    @pytest.mark.parametrize("path", ["/scheduler", "/scheduler/jobs"])
    def test_holds_for_a_password_by_http_basic(self, root: FlaskClient, client: FlaskClient, path: str) -> None:
        headers = {"Authorization": "Basic " + base64.b64encode(f"root:{PASSWORD}".encode()).decode()}
        answer = client.get(path, headers=headers)
        assert answer.status_code == 403
        assert "/second-factor" in answer.get_json()["error_message"]

    def test_is_one_statement(self, app: Flask, root: FlaskClient) -> None:
        token = root.environ_base["HTTP_AUTHORIZATION"].removeprefix("Bearer ")
        with app.app_context(), statements(app) as seen, transaction(write=False):
            identity = auth.identify(Credentials("bearer", token))
        assert identity is not None
        assert identity.withheld
        assert len(seen) == 1

    def test_asks_nothing_more_for_who_shows_a_password(self, app: Flask, root: FlaskClient) -> None:
        shown = Credentials("basic", base64.b64encode(f"root:{PASSWORD}".encode()).decode(), address="192.0.2.7")
        with app.app_context(), statements(app) as seen, transaction(write=False):
            assert auth.identify(shown) is not None
        assert len([one for one in seen if "factor" in one]) == 1
        assert len([one for one in seen if "throttle" not in one]) == 2  # the account, and what its roles hold


class TestSockets:
    def test_show_nothing_without_a_second_factor(self, app: Flask, root: FlaskClient) -> None:
        assert viewer(app, signed_in(app, "ada"))
        assert not viewer(app, root)
        enrolled(root, "root")
        assert viewer(app, root)


class TestTurnOff:
    def test_is_refused_where_one_is_required(self, app: Flask, root: FlaskClient, enrol: Enrol) -> None:
        phone = enrolled(root, "root")
        with at(minutes=1):
            assert refused(root.post(f"{FACTOR}/turn-off", json=proof(phone.code()))) == (409, "factor_required")
        eve = enrol("eve")
        assert (
            signed_in(app, "eve", eve.recovery_codes[0]).post(f"{FACTOR}/turn-off", json=proof(eve.code())).status_code
            == 204
        )

    def test_is_not_needed_to_move_to_another_phone(self, app: Flask, root: FlaskClient) -> None:
        old = enrolled(root, "root")
        with at(minutes=1):
            new = enrolled(root, "root", old.code())
            assert new.secret != old.secret
            assert permissions(root) == sorted(Permission)


class TestReset:
    def test_leaves_an_admin_to_set_up_another_one(self, app: Flask, root: FlaskClient, enrol: Enrol) -> None:
        other = enrol("other", Role.ADMIN)
        enrolled(root, "root")
        assert root.delete(f"/api/v1/user/{other.user_id}/factor").status_code == 204
        again = signed_in(app, "other")
        assert permissions(again) == []
        enrolled(again, "other")
        assert permissions(again) == sorted(Permission)
