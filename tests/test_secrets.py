"""No committed file holds a secret: a fork, a mirror and a backup keep for ever what was pushed once."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.one_database

ROOT = Path(__file__).parents[1]

FIXTURES = {
    "kq5cF0pXlDk1T2o8mS9sYvJ3uQbR7wZaE6nHtGxIyLM": "the example of a token in the API documents",
    "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw": "the example of a key in the Standard Webhooks specification",
    "wQ4ofysef1R7IKnrziqtomqyDvI=": "a signature in Qiniu's documentation, made with `MY_SECRET_KEY`",
    "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=": "the bytes 0 to 31, an older key in the tests",
    "mArKeD-3f9c0a7be1d24856b7f0": "a key that tests look for where none may stand",
}
"""What looks like a secret and opens nothing, each with its reason."""

KINDS = {
    "private key": r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----",
    "AWS": r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "GitHub": r"\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_\w{22,})",
    "GitLab": r"\bglpat-[\w-]{20}",
    "Google": r"\bAIza[\w-]{35}",
    "npm": r"\bnpm_[A-Za-z0-9]{36}\b",
    "PyPI": r"\bpypi-AgE[\w-]{20,}",
    "Slack": r"\bxox[abeoprs]-[\w-]{10,}",
    "Stripe": r"\b[rs]k_live_[A-Za-z0-9]{16,}",
    "JSON web token": r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]+",
    "webhook": r"\bwhsec_[A-Za-z0-9+/]{32,}={0,2}",
    # Of this machine and of the names that RFC 2606 reserves nobody can be robbed.
    "URL": r"\b[a-z][a-z0-9+.-]+://[^\s/:@\"'`<>{}]*:[^\s/@\"'`<>{}]+@"
    r"(?!127\.|[\w.-]*(?:\bexample\.(?:com|net|org)|\.(?:example|invalid|test))\b)[\w-]+(?:\.[\w-]+)+",
    # A random text under such a name: 24 characters or more, with a digit and both cases.
    "named value": r"(?i:secret|token|password|passwd|api_?key|access_?key|private_?key)\w*[\"']?\s*[:=]\s*[\"']?"
    r"(?=[\w+/-]*\d)(?=[\w+/-]*[a-z])(?=[\w+/-]*[A-Z])(?P<value>[A-Za-z0-9+/_-]{24,}={0,2})(?![\w.(\[])",
}
PATTERN = re.compile("|".join(f"(?:{pattern})" for pattern in KINDS.values()))

NEVER = re.compile(
    r"(^|/)(\.env|\.secret_key|\.netrc|\.pypirc|id_(rsa|dsa|ecdsa|ed25519))$|\.(pem|key|p12|pfx|jks|kdbx)$"
)
"""The names of files that hold keys or settings."""

A_LETTER_EACH = "aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bC1eF3hJ5"
"""Thirty-six characters of a random look."""

PLANTED = {
    "private key": "-----BEGIN {}PRIVATE KEY-----".format("RSA "),
    "AWS": "AKIA" + A_LETTER_EACH.upper()[:16],
    "GitHub": "ghp_" + A_LETTER_EACH,
    "GitLab": "glpat-" + A_LETTER_EACH[:20],
    "Google": "AIza" + A_LETTER_EACH[:35],
    "npm": "npm_" + A_LETTER_EACH,
    "PyPI": "pypi-AgE" + A_LETTER_EACH,
    "Slack": "xoxb-" + A_LETTER_EACH,
    "Stripe": "sk_live_" + A_LETTER_EACH,
    "JSON web token": f"eyJ{A_LETTER_EACH}.eyJ{A_LETTER_EACH}.{A_LETTER_EACH}",
    "webhook": "whsec_" + A_LETTER_EACH,
    "URL": "postgresql://web:{}@db.internal.org/app".format("pa55word"),
    "named value": f'SECRET_KEY = "{A_LETTER_EACH}"',
}


def secrets(text: str) -> Iterator[tuple[int, str]]:
    """Find what looks like a secret and is no fixture, and the number of its line."""
    for match in PATTERN.finditer(text):
        value = match["value"] or match[0]
        if value not in FIXTURES:
            yield 1 + text.count("\n", 0, match.start()), value


def committed() -> list[str]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [name for name in listed.split("\0") if (ROOT / name).is_file()]


def texts() -> Iterator[tuple[str, str]]:
    return ((name, (ROOT / name).read_bytes().decode("utf-8", "replace")) for name in committed())


class TestCommittedFiles:
    def test_hold_no_secrets(self) -> None:
        found = {f"{name}:{line} {value[:6]}…" for name, text in texts() for line, value in secrets(text)}
        cure = "change it where it is used, for it counts as known; what opens nothing is named in FIXTURES"
        assert found == set(), f"{cure}: {'; '.join(sorted(found))}"

    def test_are_no_keys_and_no_settings(self) -> None:
        names = committed()
        assert len(names) > 500
        assert [name for name in names if NEVER.search(name)] == [], "name them in .gitignore"

    def test_hold_every_fixture(self) -> None:
        held = "\n".join(text for name, text in texts() if name != "tests/test_secrets.py")
        assert [value for value in FIXTURES if value not in held] == [], "take them out of FIXTURES"


class TestSecrets:
    @pytest.mark.parametrize("kind", KINDS)
    def test_are_found(self, kind: str) -> None:
        assert list(secrets(f"x = '{PLANTED[kind]}'\n")) != []
        assert re.search(KINDS[kind], PLANTED[kind])

    @pytest.mark.parametrize(
        "text",
        [
            "amqp://guest:guest@127.0.0.1:5672//",
            "https://user:password@hooks.example.org/",
            "postgresql://USER:PASSWORD@HOST/NAME",
            'SECRET_KEY = "changeme-changeme-changeme-changeme"',
            "token=current_application_Token_of2(",
            *FIXTURES,
        ],
    )
    def test_are_not_seen_in_examples(self, text: str) -> None:
        assert list(secrets(text)) == []


class TestNever:
    @pytest.mark.parametrize("name", [".env", "deploy/.env", "deploy/tls/server.key", "id_ed25519", "a/b.pem"])
    def test_matches_files_of_keys(self, name: str) -> None:
        assert NEVER.search(name)

    @pytest.mark.parametrize("name", [".env.example", "tests/test_secrets.py", "application/libs/keyset.py"])
    def test_leaves_others_alone(self, name: str) -> None:
        assert not NEVER.search(name)
