"""Authorise, upload, confirm: files that browsers send by themselves, to our own route on the disk."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from application.libs.clock import now, ruled_by
from tests.conftest import Caller
from tests.libs.image_kit import PHP, image
from tests.modules.file.conftest import PNG, URL, Limit, code_of, kept
from tests.multipart import multipart

NEW = {"name": "photo.png", "size": len(PNG), "media_type": "image/png"}


def authorised(caller: Caller, **changes: object) -> Any:
    answer = caller.client.post(f"{URL}/authorisation", json=NEW | changes)
    assert answer.status_code == 201, answer.text
    return answer.get_json()["data"]


def upload(client: FlaskClient, grant: Mapping[str, Any], content: bytes = PNG, **fields: str) -> TestResponse:
    """Send the file as the authorisation says, without a token."""
    parts = urlsplit(grant["url"])
    form = multipart({**grant["fields"], **fields}, **{grant["file_field"]: (content, "any", "image/png")})
    return client.open(parts.path, method=grant["method"], **form)


def confirm(caller: Caller, grant: Mapping[str, Any]) -> TestResponse:
    return caller.client.post(f"{URL}/{grant['id']}/confirmation")


class TestDirect:
    def test_takes_a_file_in_three_steps(self, app: Flask, client: FlaskClient, ada: Caller) -> None:
        grant = authorised(ada)
        assert grant["url"] == f"http://localhost{URL}/{grant['id']}/upload"
        assert ada.client.get(f"{URL}/{grant['id']}").get_json()["data"]["state"] == "pending"
        assert code_of(ada.client.get(f"{URL}/{grant['id']}/content")) == (409, "file_not_ready")
        assert upload(client, grant).status_code == 204
        file = confirm(ada, grant).get_json()["data"]
        assert (file["state"], file["name"], file["size"]) == ("ready", "photo.png", len(PNG))
        assert ada.client.get(f"{URL}/{grant['id']}/content").data == PNG
        assert [path.parent.parent.name for path in kept(app)] == ["files"]

    def test_changes_nothing_afterwards(self, client: FlaskClient, ada: Caller) -> None:
        grant = authorised(ada)
        upload(client, grant)
        assert confirm(ada, grant).status_code == 200
        assert code_of(upload(client, grant, image(size=(40, 20)))) == (403, "link_invalid")
        assert code_of(confirm(ada, grant)) == (409, "already_confirmed")
        assert ada.client.get(f"{URL}/{grant['id']}/content").data == PNG

    def test_confirms_only_what_was_uploaded(self, ada: Caller) -> None:
        assert code_of(confirm(ada, authorised(ada))) == (422, "nothing_uploaded")

    def test_deletes_what_is_not_what_was_announced(self, app: Flask, client: FlaskClient, ada: Caller) -> None:
        hostile = PHP.ljust(len(PNG))
        grant = authorised(ada)
        assert upload(client, grant, hostile).status_code == 204
        assert code_of(confirm(ada, grant)) == (422, "file_refused")
        assert kept(app) == []
        assert upload(client, grant).status_code == 204  # another try
        assert confirm(ada, grant).status_code == 200

    def test_takes_no_other_length(self, app: Flask, client: FlaskClient, ada: Caller) -> None:
        assert code_of(upload(client, authorised(ada), PNG + b"x")) == (422, "file_refused")
        assert kept(app) == []

    def test_takes_nothing_that_was_not_signed(self, app: Flask, client: FlaskClient, ada: Caller) -> None:
        grant, other = authorised(ada), authorised(ada)
        assert code_of(upload(client, grant, signature="0" * 64)) == (403, "link_invalid")
        assert code_of(upload(client, {**grant, "fields": other["fields"]})) == (403, "link_invalid")
        assert code_of(upload(client, grant, expires="1900000001")) == (403, "link_invalid")
        assert upload(client, grant, expires="x").status_code == 422
        assert kept(app) == []

    def test_ends_in_time(self, client: FlaskClient, ada: Caller) -> None:
        grant, later = authorised(ada), now() + timedelta(minutes=16)
        with ruled_by(lambda: later):
            assert code_of(upload(client, grant)) == (403, "link_invalid")

    @pytest.mark.parametrize(
        ("changes", "status", "code"),
        [
            ({"size": 10_485_761}, 413, "file_too_large"),
            ({"media_type": "image/svg+xml"}, 422, "file_refused"),
            ({"media_type": "text/html"}, 422, "file_refused"),
            ({"size": 0}, 422, "invalid"),
            ({"name": "a\x00"}, 422, "invalid"),
            ({"owner_id": "x"}, 422, "invalid"),
        ],
    )
    def test_announces_only_what_may_be_sent(
        self, ada: Caller, changes: dict[str, object], status: int, code: str
    ) -> None:
        assert code_of(ada.client.post(f"{URL}/authorisation", json=NEW | changes)) == (status, code)

    def test_counts_what_was_announced(self, ada: Caller, limit: Limit) -> None:
        limit(file_quota_count=1)
        authorised(ada)
        assert code_of(ada.client.post(f"{URL}/authorisation", json=NEW)) == (409, "quota_used_up")

    def test_is_given_up_when_it_is_deleted(self, client: FlaskClient, ada: Caller) -> None:
        grant = authorised(ada)
        assert ada.client.delete(f"{URL}/{grant['id']}").status_code == 204
        assert upload(client, grant).status_code == 403
        assert confirm(ada, grant).status_code == 404
        assert ada.client.post(f"{URL}/{grant['id']}/restore").status_code == 404


class TestLink:
    def test_gives_the_file_without_a_token(self, client: FlaskClient, ada: Caller) -> None:
        grant = authorised(ada)
        upload(client, grant)
        confirm(ada, grant)
        answer = ada.client.get(f"{URL}/{grant['id']}/link")
        assert "no-store" in answer.headers["Cache-Control"]
        parts = urlsplit(answer.get_json()["data"]["url"])
        given = client.get(f"{parts.path}?{parts.query}")
        assert (given.status_code, given.data) == (200, PNG)
        assert given.headers["Content-Disposition"].startswith("attachment")
        assert client.get(parts.path).status_code == 422
        later = now() + timedelta(minutes=16)
        with ruled_by(lambda: later):
            assert code_of(client.get(f"{parts.path}?{parts.query}")) == (403, "link_invalid")
        ada.client.delete(f"{URL}/{grant['id']}")
        assert client.get(f"{parts.path}?{parts.query}").status_code == 403
