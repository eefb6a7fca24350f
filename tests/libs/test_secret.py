"""Passwords and tokens."""

import hashlib
import re
from statistics import median
from time import perf_counter

import pytest
from argon2 import PasswordHasher, Type

from application.libs.secret import digest_token, hash_password, needs_rehash, new_token, verify_password


class TestHashPassword:
    def test_is_argon2id_with_at_least_the_advised_cost(self) -> None:
        found = re.match(r"\$argon2id\$v=19\$m=(\d+),t=(\d+),p=1\$", hash_password("secret"))
        assert found
        assert int(found[1]) >= 19456
        assert int(found[2]) >= 2

    def test_is_salted(self) -> None:
        assert hash_password("secret") != hash_password("secret")


class TestVerifyPassword:
    @pytest.mark.parametrize("password", ["secret", "пароль 密码 \N{KEY}", " blanks ", "x" * 1000, ""])
    def test_knows_the_password_and_no_other(self, password: str) -> None:
        hashed = hash_password(password)
        assert verify_password(password, hashed)
        assert not verify_password(password + " ", hashed)

    @pytest.mark.parametrize("hashed", [None, "", "no hash", "$argon2id$broken"])
    def test_never_matches_without_a_hash(self, hashed: str | None) -> None:
        assert not verify_password("", hashed)

    def test_takes_as_long_for_nobody(self) -> None:
        hashed = hash_password("secret")
        known: list[float] = []
        nobody: list[float] = []
        for _ in range(9):
            for times, given in ((known, hashed), (nobody, None)):
                start = perf_counter()
                verify_password("wrong", given)
                times.append(perf_counter() - start)
        assert 0.5 < median(nobody) / median(known) < 2  # without the stand-in hash the ratio is below 0.01


class TestNeedsRehash:
    @pytest.mark.parametrize(
        "weaker",
        [
            PasswordHasher(time_cost=2, memory_cost=19455, parallelism=1),
            PasswordHasher(time_cost=1, memory_cost=19456, parallelism=1),
            PasswordHasher(time_cost=4, memory_cost=9216, parallelism=1),
            PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1, type=Type.I),
            PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1, hash_len=16),
        ],
    )
    def test_finds_what_is_weaker_than_today(self, weaker: PasswordHasher) -> None:
        assert needs_rehash(weaker.hash("secret"))

    @pytest.mark.parametrize(
        "strong",
        [
            PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1),
            PasswordHasher(time_cost=1, memory_cost=47104, parallelism=1),
            PasswordHasher(time_cost=3, memory_cost=65536, parallelism=4, hash_len=64),
        ],
    )
    def test_leaves_what_is_as_strong_or_stronger(self, strong: PasswordHasher) -> None:
        assert not needs_rehash(strong.hash("secret"))

    def test_leaves_what_is_made_today_and_who_has_none(self) -> None:
        assert not needs_rehash(hash_password("secret"))
        assert not needs_rehash(None)


class TestToken:
    def test_is_long_and_never_the_same(self) -> None:
        tokens = {new_token() for _ in range(100)}
        assert len(tokens) == 100
        assert all(re.fullmatch(r"[A-Za-z0-9_-]{43}", token) for token in tokens)

    def test_is_stored_as_its_digest(self) -> None:
        assert digest_token("abc") == hashlib.sha256(b"abc").hexdigest()
        assert len(digest_token("\ud800 \N{KEY}")) == 64
