"""Documents in the language of their reader."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from application.libs.multilingual import Translate, serve, untranslated


class TestServe:
    @pytest.fixture
    def written(self) -> list[str]:
        return []

    @pytest.fixture
    def client(self, written: list[str]) -> FlaskClient:
        def write(translate: Translate) -> dict[str, str]:
            written.append(translate("hello"))
            return {"text": translate("hello")}

        app = Flask(__name__)
        serve(app, "/both", "both", write, {"en": untranslated, "zh": str.upper})
        serve(app, "/one", "one", write)
        return app.test_client()

    @pytest.mark.parametrize(
        ("asked", "language", "text"),
        [
            (None, "en", "hello"),
            ("zh", "zh", "HELLO"),
            ("zh-CN,zh;q=0.9,en;q=0.8", "zh", "HELLO"),
            ("en;q=0.9,zh;q=0.8", "en", "hello"),
            ("fr", "en", "hello"),
            ("*", "en", "hello"),
            (";;;", "en", "hello"),
        ],
    )
    def test_speaks_the_language_asked_for(
        self, client: FlaskClient, asked: str | None, language: str, text: str
    ) -> None:
        answer = client.get("/both", headers={} if asked is None else {"Accept-Language": asked})
        assert (answer.json, answer.headers["Content-Language"]) == ({"text": text}, language)
        assert answer.headers["Vary"] == "Accept-Language"
        assert answer.content_type == "application/json"

    def test_writes_each_language_once(self, client: FlaskClient, written: list[str]) -> None:
        for _again in range(2):
            client.get("/both")
            client.get("/both", headers={"Accept-Language": "zh"})
        assert written == ["hello", "HELLO"]

    def test_is_english_by_itself(self, client: FlaskClient) -> None:
        answer = client.get("/one", headers={"Accept-Language": "zh"})
        assert (answer.json, answer.headers["Content-Language"]) == ({"text": "hello"}, "en")
