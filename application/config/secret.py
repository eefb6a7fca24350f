"""Make, keep and judge the key that signs and the first password."""

import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path

from pydantic import SecretStr

from application.libs.password import fold

KEY_LENGTH = 32  # characters; 256 bits when hexadecimal digits make half of it, RFC 2104 asks for the hash's length

RECIPE = ".venv/bin/python -c 'import secrets; print(secrets.token_hex(32))'"

WEBHOOK_RECIPE = 'echo "whsec_$(head -c 32 /dev/urandom | base64)"'

KNOWN_WORDS = (
    "secret",
    "secret!",
    "dev",
    "development",
    "changeme",
    "change-me",
    "change_me",
    "changethis",
    "default",
    "example",
    "flask",
    "hard to guess string",
    "insecure",
    "key",
    "my secret key",
    "password",
    "please-change-me",
    "redprint",
    "secret-key",
    "secret_key",
    "super-secret",
    "supersecret",
    "test",
    "you-will-never-guess",
    "your-secret-key",
)

KNOWN_KEYS = frozenset(
    {
        "192b9bdd22ab9ed4d12e236c78afcb9a393ec15f71bbf5dc987d54727823bcbf",  # printed in Flask's tutorial
        "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7",  # printed in FastAPI's
    }
)

KNOWN_PASSWORDS = frozenset(
    {
        "admin",
        "admin123",
        "administrator",
        "changeme",
        "default",
        "letmein",
        "passw0rd",
        "password",
        "password1",
        "password123",
        "qwerty",
        "qwertyuiop",
        "redprint",
        "root",
        "secret",
        "test",
        "welcome",
        *("1234567890"[:length] for length in range(1, 11)),
    }
)

FEWEST_LETTERS = 8  # distinct ones; 32 random hexadecimal digits have fewer once in a hundred million


class KeyFileError(Exception):
    """The key file of development cannot be made or read; the text says the cure."""


def new_key() -> str:
    """Make a key of 256 random bits."""
    return secrets.token_hex(32)


def key_of_file(path: Path) -> str:
    """Return the key in the file, which is made first where there is none.

    The file is written aside and linked into place, so processes that start at once agree on one key.
    """
    try:
        if not path.exists():
            _make(path)
        return _read(path)
    except OSError as error:
        raise KeyFileError(f"{path.name} cannot be kept ({error.strerror}): set SECRET_KEY") from None


def _make(path: Path) -> None:
    descriptor, draft = tempfile.mkstemp(prefix=f"{path.name}.", dir=path.parent)  # created with mode 0600
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(new_key())
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        Path(draft).unlink()


def _read(path: Path) -> str:
    if path.stat().st_mode & 0o077:
        path.chmod(0o600)
    key = path.read_bytes().decode("ascii", errors="replace").strip()
    if len(key) < KEY_LENGTH:
        raise KeyFileError(f"{path.name} holds no key: delete it and a new one is made, or set SECRET_KEY")
    return key


def fault_of_key(key: str) -> str | None:
    """Say what is wrong with a key that is to sign for real people, or None."""
    plain = key.strip().lower()
    if not plain:
        return "is missing"
    if plain in KNOWN_KEYS or plain.startswith("django-insecure") or _is_repeated(plain):
        return "is a known one"
    if len(key) < KEY_LENGTH:
        return f"is shorter than {KEY_LENGTH} characters"
    if len(set(key)) < FEWEST_LETTERS:
        return "is easy to guess"
    return None


def _is_repeated(plain: str) -> bool:
    return any(word in plain and not plain.replace(word, "").strip(" -_.!0123456789") for word in KNOWN_WORDS)


def is_known_password(password: SecretStr | None) -> bool:
    """Tell whether a password is one of the few that everybody tries first; the long list is that of libs/password."""
    return password is not None and fold(password.get_secret_value()) in KNOWN_PASSWORDS
