"""Conditional requests (RFC 9110 §13): not sent twice, and no update is lost."""

from functools import partial
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import create_engine, event, update

from application.database import db
from application.modules.tag.models import Tag
from tests.conftest import Caller, SignIn
from tests.parallel import at_once
from tests.statements import statements


@pytest.fixture
def blog(ada: Caller) -> dict[str, Any]:
    """Return a blog of Ada's."""
    answer = ada.client.post("/api/v1/blog", json={"title": "One", "content": "Text"})
    blog: dict[str, Any] = answer.get_json()["data"]
    return blog


@pytest.fixture
def address(blog: dict[str, Any]) -> str:
    return f"/api/v1/blog/{blog['id']}"


def tag_of(client: FlaskClient, address: str) -> str:
    """Return the tag of what GET answers."""
    tag: str = client.get(address).headers["ETag"]
    return tag


READ = ["/api/v1/blog", "/api/v1/tag", "/api/v1/auth/me", "/scheduler", "/scheduler/jobs", "/api/v1/user?count=true"]


class TestIfNoneMatch:
    @pytest.mark.parametrize("address", READ)
    def test_spares_sending_what_is_known(self, admin: Caller, address: str) -> None:
        first = admin.client.get(address)
        again = admin.client.get(address, headers={"If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.data) == (304, b"")
        assert again.headers["ETag"] == first.headers["ETag"]
        assert "Content-Type" not in again.headers
        assert admin.client.get(address, headers={"If-None-Match": '"other"'}).data == first.data

    def test_is_answered_to_head_too(self, admin: Caller) -> None:
        first = admin.client.head("/api/v1/blog")
        assert admin.client.head("/api/v1/blog", headers={"If-None-Match": first.headers["ETag"]}).status_code == 304

    def test_sees_a_change(self, ada: Caller, address: str) -> None:
        before = tag_of(ada.client, address)
        ada.client.patch(address, json={"title": "Two"})
        assert ada.client.get(address, headers={"If-None-Match": before}).status_code == 200

    @pytest.mark.parametrize("address", ["/api/v1/blog?limit=1", "/api/v2/blog?limit=1", "/api/v1/tag", "/api/v1/user"])
    def test_spares_reading_what_nobody_wrote_since(self, app: Flask, admin: Caller, address: str) -> None:
        for title in ("One", "Two"):
            admin.client.post("/api/v1/blog", json={"title": title, "content": ""})
        first = admin.client.get(address)
        known = {"If-None-Match": first.headers["ETag"]}
        once = admin.client.get(address, headers=known)
        with statements(app) as seen:
            again = admin.client.get(address, headers=known)
        assert (once.status_code, again.status_code) == (304, 304)
        headers = [{name: answer.headers.get(name) for name in ("ETag", "Link", "Vary")} for answer in (once, again)]
        assert headers[0] == headers[1]
        with app.app_context():
            is_ours_alone = db.engine.dialect.name == "sqlite"
        # MariaDB has no stamp, and that of PostgreSQL counts what other tests write into databases of their own
        assert len(seen) == 1 or not is_ours_alone, seen

    def test_sees_what_was_written_while_it_was_found_out_who_asks(self, app: Flask, admin: Caller) -> None:
        tag = admin.client.post("/api/v1/tag", json={"name": "one"}).get_json()["data"]["id"]
        known = {"If-None-Match": admin.client.get("/api/v1/tag").headers["ETag"]}
        with app.app_context():
            engine = db.engine
            other = create_engine(engine.url)

        changes = [update(Tag).where(Tag.id == tag).values(name="two")]

        def write_once(*_statement: object) -> None:
            while changes:
                with other.begin() as connection:
                    connection.execute(changes.pop())

        event.listen(engine, "after_cursor_execute", write_once)
        admin.client.get("/api/v1/tag", headers=known)
        event.remove(engine, "after_cursor_execute", write_once)
        other.dispose()
        assert changes == []
        assert admin.client.get("/api/v1/tag", headers=known).status_code == 200

    def test_sees_what_others_write_and_what_is_taken_from_one(self, app: Flask, admin: Caller, bob: Caller) -> None:
        tag = admin.client.post("/api/v1/tag", json={"name": "one"}).get_json()["data"]["id"]
        known = {"If-None-Match": bob.client.get("/api/v1/tag").headers["ETag"]}
        assert [bob.client.get("/api/v1/tag", headers=known).status_code for _ in range(2)] == [304, 304]
        admin.client.patch(f"/api/v1/tag/{tag}", json={"name": "two"})
        assert bob.client.get("/api/v1/tag", headers=known).status_code == 200
        known = {"If-None-Match": admin.client.get("/api/v1/user").headers["ETag"]}
        assert [admin.client.get("/api/v1/user", headers=known).status_code for _ in range(2)] == [304, 304]
        admin.client.post("/api/v1/auth/logout")
        assert admin.client.get("/api/v1/user", headers=known).status_code == 401

    def test_keeps_the_address_of_the_next_page(self, ada: Caller) -> None:
        for name in ("a", "b"):
            ada.client.post("/api/v1/tag", json={"name": name})
        first = ada.client.get("/api/v1/tag?limit=1")
        again = ada.client.get("/api/v1/tag?limit=1", headers={"If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.headers["Link"]) == (304, first.headers["Link"])

    def test_does_not_open_what_is_closed(self, client: FlaskClient, ada: Caller) -> None:
        tag = tag_of(ada.client, "/api/v1/auth/me")
        assert client.get("/api/v1/auth/me", headers={"If-None-Match": tag}).status_code == 401


class TestIfMatch:
    @pytest.mark.parametrize(
        ("method", "body", "status"),
        [("put", {"title": "Two", "content": "Text"}, 200), ("patch", {"title": "Two"}, 200), ("delete", None, 204)],
    )
    def test_changes_what_is_as_it_was_read(
        self, ada: Caller, address: str, method: str, body: Any, status: int
    ) -> None:
        stale = tag_of(ada.client, address)
        ada.client.patch(address, json={"content": "Other"})
        refused = ada.client.open(address, method=method.upper(), json=body, headers={"If-Match": stale})
        assert (refused.status_code, refused.get_json()["code"]) == (412, "stale")
        assert ada.client.get(address).get_json()["data"]["title"] == "One"
        tag = tag_of(ada.client, address)
        assert (
            ada.client.open(address, method=method.upper(), json=body, headers={"If-Match": tag}).status_code == status
        )

    @pytest.mark.parametrize(
        ("header", "status"),
        [("*", 200), ('"0", "{tag}"', 200), ('W/"{tag}"', 412), ('"0"', 412), ("garbage", 412), ("", 412)],
    )
    def test_compares_strongly(self, ada: Caller, address: str, header: str, status: int) -> None:
        tag = tag_of(ada.client, address).strip('"')
        headers = {"If-Match": header.replace("{tag}", tag)}
        assert ada.client.patch(address, json={"title": "Two"}, headers=headers).status_code == status

    def test_is_asked_after_who_and_what(self, bob: Caller, client: FlaskClient, address: str, ada: Caller) -> None:
        headers = {"If-Match": '"0"'}
        assert client.patch(address, json={"title": "Two"}, headers=headers).status_code == 401
        assert ada.client.patch(address, json={"title": ""}, headers=headers).status_code == 422
        assert ada.client.patch(f"{address[:-4]}0000", json={"title": "a"}, headers=headers).status_code == 404

    def test_holds_where_the_handler_opens_its_own_units(self, admin: Caller, ada: Caller) -> None:
        address = f"/api/v1/user/{ada.id}"
        tag = tag_of(admin.client, address)
        body = {"password": "correct horse"}
        assert admin.client.patch(address, json=body, headers={"If-Match": '"0"'}).status_code == 412
        assert ada.client.get("/api/v1/auth/me").status_code == 200  # a new password would have ended it
        assert admin.client.patch(address, json=body, headers={"If-Match": tag}).status_code == 200
        assert ada.client.get("/api/v1/auth/me").status_code == 401

    def test_of_anybody_refused_is_not_looked_at(self, ada: Caller, bob: Caller, address: str) -> None:
        for header in ('"0"', tag_of(ada.client, address)):
            assert bob.client.delete(address, headers={"If-Match": header}).status_code == 403

    def test_of_one_resource_is_nothing_to_another(self, admin: Caller, sign_in: SignIn) -> None:
        users = [f"/api/v1/user/{sign_in(f'user{number}').id}" for number in range(8)]
        actions = [
            partial(
                admin.client.patch,
                user,
                json={"roles": ["user", "admin"]},
                headers={"If-Match": tag_of(admin.client, user)},
            )
            for user in users
        ]
        assert [answer.status_code for answer in at_once(actions)] == [200] * 8

    def test_lets_one_of_many_win_where_the_handler_opens_its_own_units(self, admin: Caller, ada: Caller) -> None:
        address = f"/api/v1/user/{ada.id}"
        tag = tag_of(admin.client, address)
        actions = [
            partial(admin.client.patch, address, json={"name": f"ada{number}"}, headers={"If-Match": tag})
            for number in range(6)
        ]
        assert sorted(answer.status_code for answer in at_once(actions)) == [200, 412, 412, 412, 412, 412]

    def test_with_an_asterisk_lets_everybody_change(self, ada: Caller, address: str) -> None:
        actions = [
            partial(ada.client.patch, address, json={"title": f"T{number}"}, headers={"If-Match": "*"})
            for number in range(8)
        ]
        assert [answer.status_code for answer in at_once(actions)] == [200] * 8

    def test_lets_one_of_many_win(self, ada: Caller, address: str) -> None:
        tag = tag_of(ada.client, address)
        actions = [
            partial(ada.client.patch, address, json={"title": f"T{number}"}, headers={"If-Match": tag})
            for number in range(6)
        ]
        statuses = sorted(answer.status_code for answer in at_once(actions))
        assert statuses == [200, 412, 412, 412, 412, 412]


class TestIfMatchOfARead:
    @pytest.mark.parametrize("address", READ)
    def test_refuses_another_state(self, admin: Caller, address: str) -> None:
        tag = tag_of(admin.client, address)
        for header, status in ((tag, 200), ("*", 200), (f'"0", {tag}', 200), ('"0"', 412), (f"W/{tag}", 412)):
            assert admin.client.get(address, headers={"If-Match": header}).status_code == status
            assert admin.client.head(address, headers={"If-Match": header}).status_code == status

    def test_is_looked_at_before_what_spares_the_answer(self, ada: Caller, address: str) -> None:
        tag = tag_of(ada.client, address)
        headers = {"If-Match": '"0"', "If-None-Match": tag}
        assert ada.client.get(address, headers=headers).status_code == 412
        assert ada.client.get(address, headers=headers | {"If-Match": tag}).status_code == 304


class TestIfMatchOfACreation:
    def test_is_compared_with_the_list(self, ada: Caller, address: str) -> None:
        body = {"title": "Two", "content": ""}
        tag = tag_of(ada.client, "/api/v1/blog")
        statuses = [ada.client.post("/api/v1/blog", json=body, headers={"If-Match": tag}).status_code for _ in range(2)]
        assert statuses == [201, 412]
        tag = tag_of(ada.client, "/api/v1/blog?limit=1")
        assert ada.client.post("/api/v1/blog?limit=1", json=body, headers={"If-Match": tag}).status_code == 201

    def test_is_not_asked_again_under_a_key(self, ada: Caller, address: str) -> None:
        headers = {"If-Match": tag_of(ada.client, "/api/v1/blog"), "Idempotency-Key": "k"}
        body = {"title": "Two", "content": ""}
        answers = [ada.client.post("/api/v1/blog", json=body, headers=headers) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [201, 201]
        assert answers[1].headers["Idempotency-Replayed"] == "true"
        refused = ada.client.post("/api/v1/blog", json=body, headers=headers | {"Idempotency-Key": "other"})
        assert refused.status_code == 412
        answer = ada.client.post("/api/v1/blog", json=body, headers={"Idempotency-Key": "other"})
        assert (answer.status_code, "Idempotency-Replayed" in answer.headers) == (201, False)

    def test_where_nothing_is_read_is_refused(self, client: FlaskClient, admin: Caller) -> None:
        admin.client.post("/api/v1/user", json={"name": "carol", "password": "correct horse"})
        body = {"name": "carol", "password": "correct horse"}
        answer = client.post("/api/v1/auth/login", json=body, headers={"If-Match": '"0"'})
        assert (answer.status_code, answer.get_json()["code"]) == (412, "stale")
        assert client.post("/api/v1/auth/login", json=body, headers={"If-Match": "*"}).status_code == 200


class TestIfNoneMatchOfAChange:
    def test_refuses_what_is_there(self, ada: Caller, address: str) -> None:
        body = {"title": "Two", "content": ""}
        assert ada.client.put(address, json=body, headers={"If-None-Match": "*"}).status_code == 412
        tag = tag_of(ada.client, address)
        assert ada.client.patch(address, json=body, headers={"If-None-Match": f"W/{tag}"}).status_code == 412
        assert ada.client.patch(address, json=body, headers={"If-None-Match": '"0"'}).status_code == 200


class TestTag:
    def test_of_a_creation_is_that_of_its_address(self, ada: Caller) -> None:
        answer = ada.client.post("/api/v1/blog", json={"title": "New", "content": ""})
        read = ada.client.get(answer.headers["Location"])
        assert (read.status_code, read.headers["ETag"]) == (200, answer.headers["ETag"])

    def test_of_a_patch_serves_the_next_one(self, ada: Caller, address: str) -> None:
        tag = tag_of(ada.client, address)
        for title in ("Two", "Three", "Four"):
            answer = ada.client.patch(address, json={"title": title}, headers={"If-Match": tag})
            assert answer.status_code == 200
            tag = answer.headers["ETag"]

    def test_is_not_given_with_put(self, ada: Caller, address: str) -> None:
        assert "ETag" not in ada.client.put(address, json={"title": "a", "content": ""}).headers


class TestMergePatch:
    def test_has_a_media_type(self, ada: Caller, address: str) -> None:
        headers = {"Content-Type": "application/merge-patch+json"}
        answer = ada.client.patch(address, data=b'{"title": "Two"}', headers=headers)
        assert answer.get_json()["data"]["title"] == "Two"
        assert answer.get_json()["data"]["content"] == "Text"

    def test_is_for_patch_only(self, ada: Caller, address: str) -> None:
        headers = {"Content-Type": "application/merge-patch+json"}
        assert ada.client.put(address, data=b'{"title": "a", "content": ""}', headers=headers).status_code == 415

    def test_removes_by_null_what_can_be_missing(self, ada: Caller, address: str) -> None:
        tag = ada.client.post("/api/v1/tag", json={"name": "t"}).get_json()["data"]
        tagged = ada.client.patch(address, json={"tags": [tag["id"]]}).get_json()["data"]
        assert [item["id"] for item in tagged["tags"]] == [tag["id"]]
        assert ada.client.patch(address, json={"tags": None}).get_json()["data"]["tags"] == []

    @pytest.mark.parametrize("field", ["title", "content", "status"])
    def test_does_not_remove_what_must_be_there(self, ada: Caller, address: str, field: str) -> None:
        answer = ada.client.patch(address, json={field: None})
        assert answer.status_code == 422
        assert [error["loc"] for error in answer.get_json()["errors"]] == [["body", field]]
