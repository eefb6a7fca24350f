"""Searching blogs over HTTP: MariaDB's index knows what is committed only, so each step is a request."""

import itertools
import json
import string
import time
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from application.database import db, transaction
from application.libs.search_text import index_text
from tests.conftest import Caller

HOSTILE = [
    '"', "'", '"*()-+:<>~@', "(", "a (", '"a', "a*b", "a AND", "AND", "OR OR", "NEAR(a b)", "NOT a", "a NOT",
    "title:a", "search : a", "^a", "a*", "*a", "+-a", "--a", "a & ! b", "a | b", "a <-> b", "!", ":*", "a:*", "@4",
    "\\", "%", "_", "a_b", "a%b", "{a}", "[a]", "a;--", "/*", "' OR 1=1 --", "\x01", "\t", "\u2028", "\ufffd",
    "\N{RIGHT-TO-LEFT OVERRIDE}", "\N{COMBINING ACUTE ACCENT}" * 100, "x" * 100, "中" * 100, "\ufdfa" * 100,
    " ".join("ab" for _ in range(33)), " ".join(chr(97 + number % 26) for number in range(50)),
]  # fmt: skip


def write(caller: Caller, title: str, content: str = "", **fields: Any) -> str:
    body = json.dumps({"title": title, "content": content} | fields, ensure_ascii=False).encode()
    response = caller.client.post("/api/v1/blog", data=body, content_type="application/json")
    assert response.status_code == 201, response.text
    created: str = response.get_json()["data"]["id"]
    return created


def titles(client: FlaskClient, q: str, **query: Any) -> list[str]:
    asked = {"q": q, "sort": "title", "fields": "title", "count": "true"} | query
    response = client.get("/api/v1/blog", query_string=asked)
    assert response.status_code == 200, response.text
    found = [blog["title"] for blog in response.get_json()["data"]]
    assert response.get_json()["page"].get("total", len(found)) == len(found)
    return found


class TestWords:
    @pytest.fixture
    def library(self, ada: Caller) -> None:
        write(ada, "Flask at 100%", "Redprints are blueprints with a contract.")
        write(ada, "Straße nach München", "Ein ÜBUNGSTEXT, größer als zuvor.")
        write(ada, "The who and the what", "is it to be")
        write(ada, "Привет, мир", "Тестовый текст")
        write(ada, "snake_case and kebab-case", "user@example.com 3.14 1e5")
        write(ada, "Fizz buzz zebra", "pizza")

    @pytest.mark.parametrize(
        ("q", "found"),
        [
            ("flask", ["Flask at 100%"]),
            ("FLASK contract", ["Flask at 100%"]),
            ("contract flask", ["Flask at 100%"]),
            ("blue", ["Flask at 100%"]),
            ("print", []),
            ("flask zebra", []),
            ("100", ["Flask at 100%"]),
            ("100%", ["Flask at 100%"]),
            ("1", ["Flask at 100%", "snake_case and kebab-case"]),
            ("strasse", ["Straße nach München"]),
            ("STRASSE", ["Straße nach München"]),
            ("müNCH", ["Straße nach München"]),
            ("mu\N{COMBINING DIAERESIS}nchen", ["Straße nach München"]),
            ("munchen", []),
            ("übungs", ["Straße nach München"]),
            ("the who", ["The who and the what"]),
            ("is it", ["The who and the what"]),
            ("a", ["Flask at 100%", "Straße nach München", "The who and the what", "snake_case and kebab-case"]),
            ("привет", ["Привет, мир"]),
            ("ТЕСТ", ["Привет, мир"]),
            ("case", ["snake_case and kebab-case"]),
            ("kebab-case", ["snake_case and kebab-case"]),
            ("user@example.com", ["snake_case and kebab-case"]),
            ("z", ["Fizz buzz zebra", "Straße nach München"]),
            ("fiz", ["Fizz buzz zebra"]),
            ("fizz BUZ pizza", ["Fizz buzz zebra"]),
            ("fzz", []),
            ("ｆｉｚｚ", ["Fizz buzz zebra"]),
        ],
    )
    @pytest.mark.usefixtures("library")
    def test_are_found_whole_or_by_their_beginning(self, client: FlaskClient, q: str, found: list[str]) -> None:
        assert titles(client, q) == found

    @pytest.mark.usefixtures("library")
    def test_that_are_none_find_nothing_and_a_blank_is_no_search(self, client: FlaskClient) -> None:
        assert titles(client, "%") == titles(client, '"*()') == []
        assert len(titles(client, "")) == len(titles(client, " \t")) == 6


class TestShortWords:
    def test_are_no_stop_words(self, app: Flask) -> None:
        signs = string.ascii_lowercase + string.digits
        words = [*signs, *("".join(pair) for pair in itertools.product(signs, repeat=2))]
        with app.app_context(), transaction(write=False) as unit:
            has_stop_words = db.engine.dialect.name == "mysql"
            known = "SELECT value FROM information_schema.innodb_ft_default_stopword"
            stop_words = set(unit.connection.execute(text(known)).scalars()) if has_stop_words else set()
        assert ("www" in stop_words) is has_stop_words
        assert stop_words.isdisjoint(index_text(*words).split())

    def test_are_found_whatever_their_letter(self, ada: Caller, client: FlaskClient) -> None:
        signs = string.ascii_lowercase + string.digits
        write(ada, "signs", " ".join(signs))
        write(ada, "w hello")
        assert [sign for sign in signs if "signs" not in titles(client, sign)] == []
        assert titles(client, "w hello") == titles(client, "W")[1:] == ["w hello"]
        assert titles(client, "wz") == []


class TestChinese:
    @pytest.mark.parametrize(
        ("q", "found"),
        [
            ("中文", ["中文标题 Flask"]),
            ("文标", ["中文标题 Flask"]),
            ("标题", ["中文标题 Flask"]),
            ("中", ["中文标题 Flask"]),
            ("题", ["中文标题 Flask", "问题"]),
            ("中标", []),
            ("全文搜索", ["中文标题 Flask"]),
            ("中文 搜索", ["中文标题 Flask"]),
            ("中文，flask！", ["中文标题 Flask"]),
            ("flask中文", ["中文标题 Flask"]),
            ("がな", ["ひらがなとカナ"]),
            ("かな", []),
            ("ｶﾅ", ["ひらがなとカナ"]),
            ("검색", ["한국어 검색"]),
            ("한국", ["한국어 검색"]),
            ("🎉", ["🎉 party"]),
            ("𠀀𠀁", ["𠀀𠀁𠀂"]),
            ("𠀂", ["𠀀𠀁𠀂"]),
        ],
    )
    def test_is_found_down_to_two_characters_and_one(
        self, ada: Caller, client: FlaskClient, q: str, found: list[str]
    ) -> None:
        write(ada, "中文标题 Flask", "支持全文搜索，两个字也行。")
        for title in ("问题", "ひらがなとカナ", "한국어 검색", "🎉 party", "𠀀𠀁𠀂"):
            write(ada, title)
        assert titles(client, q) == found


class TestChanges:
    def test_are_found_at_once(self, ada: Caller, client: FlaskClient) -> None:
        url = f"/api/v1/blog/{write(ada, 'alpha', 'beta')}"
        assert (titles(client, "alpha"), titles(client, "beta")) == (["alpha"], ["alpha"])
        ada.client.patch(url, json={"title": "gamma"})
        assert (titles(client, "alpha"), titles(client, "gamma beta")) == ([], ["gamma"])
        ada.client.patch(url, json={"content": "中文"})
        assert (titles(client, "beta"), titles(client, "gamma 中文")) == ([], ["gamma"])
        ada.client.patch(url, json={"tags": []})
        assert titles(client, "gamma") == ["gamma"]
        ada.client.put(url, json={"title": "delta", "content": ""})
        assert (titles(client, "gamma"), titles(client, "中文"), titles(client, "delta")) == ([], [], ["delta"])
        ada.client.delete(url)
        assert titles(client, "delta") == []

    def test_by_version_2_are_found_too(self, ada: Caller, client: FlaskClient) -> None:
        blog = {"title": "alpha", "body": {"text": "beta"}}
        created = ada.client.post("/api/v2/blog", json=blog)
        assert created.status_code == 201, created.text
        assert titles(client, "beta") == ["alpha"]

    def test_that_are_rolled_back_are_not(self, ada: Caller, client: FlaskClient) -> None:
        tags = ["01981f3e-7c5a-7b1e-9c55-0d7f5b1f2a10"]
        refused = ada.client.post("/api/v1/blog", json={"title": "alpha", "content": "", "tags": tags})
        assert refused.status_code == 422
        assert titles(client, "alpha") == []


class TestVisibility:
    def test_is_the_same_as_without_a_search(self, ada: Caller, bob: Caller, client: FlaskClient) -> None:
        write(ada, "secret plan", "swordfish", status="draft")
        for query in ({}, {"status": "draft"}, {"owner": ada.id}, {"owner__in": [ada.id, bob.id]}):
            assert titles(ada.client, "swordfish", **query) == ["secret plan"]
            assert titles(bob.client, "swordfish", **query) == titles(client, "swordfish", **query) == []

    @pytest.mark.parametrize(
        "query",
        [
            {"title": "secret plan"},
            {"title__contains": "secret"},
            {"title__startswith": "secret"},
            {"status": "draft"},
            {"created_at__gt": "2000-01-01T00:00:00Z"},
            {"updated_at__gte": "2000-01-01T00:00:00Z"},
            {"created_at__lt": "3000-01-01T00:00:00Z", "updated_at__lte": "3000-01-01T00:00:00Z"},
        ],
    )
    def test_is_widened_by_no_filter(
        self, ada: Caller, bob: Caller, client: FlaskClient, query: dict[str, str]
    ) -> None:
        tag = ada.client.post("/api/v1/tag", json={"name": "x"}).get_json()["data"]["id"]
        write(ada, "secret plan", status="draft", tags=[tag])
        for more in ({}, {"owner": ada.id}, {"owner__in": ada.id}, {"tag": tag}, {"tag__in": tag}):
            assert titles(ada.client, "", **query | more) == ["secret plan"]
            assert titles(bob.client, "", **query | more) == titles(client, "", **query | more) == []


class TestHostileSearch:
    def test_is_never_an_error(self, ada: Caller, client: FlaskClient) -> None:
        write(ada, "a b c AND OR NEAR NOT title search", "a_b a%b")
        for q in HOSTILE:
            response = client.get("/api/v1/blog", query_string={"q": q, "count": "true"})
            assert response.status_code == 200, (q, response.text)

    @pytest.mark.parametrize("q", ["\0", "a\0b", "x" * 101])
    def test_that_no_database_holds_is_422(self, client: FlaskClient, q: str) -> None:
        response = client.get("/api/v1/blog", query_string={"q": q})
        assert response.status_code == 422
        assert [error["loc"] for error in response.get_json()["errors"]] == [["query", "q"]]

    @pytest.mark.parametrize(
        "sign", ["\ufdfa", "\N{GRINNING FACE}", "é", "中", "x ", "\N{COMBINING ACUTE ACCENT}\u0316"]
    )
    def test_text_of_the_largest_size_is_indexed(self, ada: Caller, client: FlaskClient, sign: str) -> None:
        write(ada, "large", (sign * 200_000)[:200_000])
        assert titles(client, "large") == ["large"]

    def test_text_of_very_many_words_is_indexed(self, ada: Caller, client: FlaskClient) -> None:
        write(ada, "large", "".join(chr(0x4E00 + number * 7919 % 20_000) for number in range(199_000)))
        deadline = time.monotonic() + 10
        while not titles(client, "large", count="false") and time.monotonic() < deadline:
            time.sleep(0.05)  # MariaDB takes a moment for so many
        assert titles(client, "large") == titles(client, chr(0x4E00) + chr(0x4E00 + 7919)) == ["large"]


class TestIndex:
    def test_keeps_nothing_of_what_is_gone(self, app: Flask, ada: Caller) -> None:
        kept = write(ada, "alpha")
        ada.client.patch(f"/api/v1/blog/{kept}", json={"title": "beta"})
        ada.client.delete(f"/api/v1/blog/{write(ada, 'gamma')}")
        with app.app_context(), transaction(write=False) as unit:
            is_sqlite = db.engine.dialect.name == "sqlite"
            rows = unit.connection.execute(text(f"SELECT search FROM {'blog_fts' if is_sqlite else 'blog'}")).scalars()
            assert [row.strip("'") for row in rows] == ["wwbeta"]  # a tsvector quotes its words
