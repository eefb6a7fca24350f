"""One's own contacts over HTTP."""

from flask import Flask
from flask.testing import FlaskClient

from application.database import transaction
from application.modules.code.business import Purpose
from application.modules.session import business as sessions
from application.modules.user import business as user_business
from tests.conftest import Caller
from tests.post import Post, contact_rows, give_contact, put_code, text_of
from tests.tables import count_rows

MAIL, PHONE = "ada@example.org", "+4915112345678"


class TestCreate:
    def test_adds_what_a_code_was_sent_to(self, app: Flask, ada: Caller, bob: Caller, post: Post) -> None:
        for to in (MAIL, "+49 151 12345678"):
            assert ada.client.post("/api/v1/code", json={"purpose": "verify", "to": to}).status_code == 202
            post.work()
        code = post.code()
        assert bob.client.post("/api/v1/contact", json={"to": MAIL, "code": code}).status_code == 422
        answer = ada.client.post("/api/v1/contact", json={"to": MAIL, "code": code})
        assert answer.status_code == 201
        contact = answer.get_json()["data"]
        assert (contact["kind"], contact["address"]) == ("mail", MAIL)
        phone = {"to": PHONE, "code": post.short_messages()[0].text.split("code is ")[1][:6]}
        assert ada.client.post("/api/v1/contact", json=phone).status_code == 201
        (told,) = [mail for mail in post.mails() if mail["Subject"] == "An address was added to your account"]
        assert told["To"] == MAIL
        assert f"{PHONE} was added to your account." in text_of(told)
        listed = ada.client.get("/api/v1/contact").get_json()["data"]
        assert [one["address"] for one in listed] == [MAIL, PHONE]
        assert listed[0] == contact
        assert bob.client.get("/api/v1/contact").get_json()["data"] == []
        assert count_rows(app, "audit", action="contact.create", actor_id=ada.id) == 2

    def test_refuses_what_somebody_has_meanwhile(self, app: Flask, ada: Caller, bob: Caller) -> None:
        put_code(app, Purpose.VERIFY, MAIL, "204816", asked_by=ada.id)
        give_contact(app, bob.id, MAIL)
        answer = ada.client.post("/api/v1/contact", json={"to": MAIL, "code": "204816"})
        assert (answer.status_code, answer.get_json()["code"]) == (409, "contact_taken")

    def test_wants_six_digits(self, ada: Caller) -> None:
        for code in ("", "12345", "1234567", "12345a", "１２３４５６", "123456\n"):
            answer = ada.client.post("/api/v1/contact", json={"to": MAIL, "code": code})
            assert answer.status_code == 422
            assert answer.get_json()["errors"][0]["loc"] == ["body", "code"]


class TestDelete:
    def test_takes_away_ones_own_with_the_codes_that_were_sent_there(
        self, app: Flask, client: FlaskClient, ada: Caller, bob: Caller
    ) -> None:
        first, second = give_contact(app, ada.id, MAIL), give_contact(app, ada.id, PHONE)
        put_code(app, Purpose.SIGN_IN, MAIL, "204816")
        assert bob.client.delete(f"/api/v1/contact/{first}").status_code == 404
        assert ada.client.delete(f"/api/v1/contact/{first}").status_code == 204
        assert ada.client.delete(f"/api/v1/contact/{first}").status_code == 404
        signed = client.post("/api/v1/auth/login-by-code", json={"to": MAIL, "code": "204816"})
        assert signed.status_code == 422
        answer = ada.client.delete(f"/api/v1/contact/{second}")  # she has no password
        assert (answer.status_code, answer.get_json()["code"]) == (409, "only_way_in")
        assert contact_rows(app) == [(ada.id, PHONE)]

    def test_takes_away_the_last_one_of_who_has_a_password(self, app: Flask, client: FlaskClient, ada: Caller) -> None:
        contact_id = give_contact(app, ada.id, MAIL)
        with app.app_context(), transaction():
            user_business.update(ada.id, password_hash="x")
            headers = {"Authorization": f"Bearer {sessions.begin(ada.id).token}"}
        assert client.delete(f"/api/v1/contact/{contact_id}", headers=headers).status_code == 204
        assert contact_rows(app) == []
