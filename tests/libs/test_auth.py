"""Who is asking."""

import base64

import pytest
from flask import Flask

from application.libs.auth import (
    Credentials,
    Identity,
    current_identity,
    find_identity,
    read_basic,
    read_credentials,
    set_identity,
    viewer_id,
)
from application.libs.error import Unauthenticated

ADA = Identity("1", "ada", ("user",), frozenset({"blog:write"}))


class TestReadCredentials:
    @pytest.mark.parametrize(
        ("header", "scheme", "value"),
        [
            ("Bearer abc", "bearer", "abc"),
            ("  BASIC   a b  ", "basic", "a b"),
            ("Bearer", "bearer", ""),
            (" ", "", ""),
            ("abc", "abc", ""),
        ],
    )
    def test_splits_the_header(self, header: str, scheme: str, value: str) -> None:
        assert read_credentials(header) == Credentials(scheme, value)

    def test_notes_where_it_came_from(self) -> None:
        assert read_credentials("Bearer abc", "192.0.2.7") == Credentials("bearer", "abc", address="192.0.2.7")

    @pytest.mark.parametrize("header", [None, ""])
    def test_finds_none_without_one(self, header: str | None) -> None:
        assert read_credentials(header) is None


def basic(raw: bytes) -> Credentials:
    return Credentials("basic", base64.b64encode(raw).decode())


class TestReadBasic:
    @pytest.mark.parametrize(
        ("raw", "pair"),
        [
            (b"ada:secret", ("ada", "secret")),
            (b"ada:", ("ada", "")),
            (b":a:b", ("", "a:b")),
            ("é:标".encode(), ("é", "标")),
            ("é:ö".encode("latin-1"), ("é", "ö")),
        ],
    )
    def test_reads_name_and_password(self, raw: bytes, pair: tuple[str, str]) -> None:
        assert read_basic(basic(raw)) == pair

    @pytest.mark.parametrize(
        "credentials", [basic(b"ada"), basic(b"a\0:b"), Credentials("basic", "?"), Credentials("basic", "é")]
    )
    def test_finds_none_in_what_is_malformed(self, credentials: Credentials) -> None:
        assert read_basic(credentials) is None


class TestIdentity:
    def test_lasts_for_the_request(self) -> None:
        app = Flask("auth")
        with app.app_context():
            assert (find_identity(), viewer_id()) == (None, None)
            with pytest.raises(Unauthenticated):
                current_identity()
            set_identity(ADA)
            assert (find_identity(), current_identity(), viewer_id()) == (ADA, ADA, "1")
        with app.app_context():
            assert find_identity() is None

    def test_counts_for_nobody_as_a_key_of_another_scope(self) -> None:
        key = Identity("1", "ada", (), frozenset({"blog:write"}), key_id="7")
        with Flask("auth").app_context():
            for identity, seen in ((ADA, ["1", "1", "1"]), (key, ["1", "1", None])):
                set_identity(identity)
                assert [viewer_id(), viewer_id("blog:write"), viewer_id("tag:create")] == seen

    def test_says_by_what_it_was_let_in(self) -> None:
        by_token, by_key = (Identity("1", "ada", (), frozenset(), *ids) for ids in (("5", None), (None, "7")))
        assert [one.pass_id for one in (ADA, by_token, by_key)] == [None, "5", "7"]

    def test_knows_its_permissions(self) -> None:
        assert ADA.may("blog:write")
        assert not ADA.may("blog:read")
