"""Judge what a new password may be: its length, that not everybody tries it first, and that it hides its user's name.

Length and a list are what NIST SP 800-63B asks for (§3.1.1.2); rules about kinds of characters make passwords no better
and are left out. The list is the one of leaked passwords in the package zxcvbn, the most frequent first.
"""

import unicodedata
from functools import cache
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

MIN_LENGTH = 8
MAX_LENGTH = 128
"""Both in characters (Unicode code points), blanks included."""

MAX_BYTES = 256
"""In UTF-8: room for 128 letters of Europe's alphabets, and for 64 characters of any script."""

SHORTEST_NAME = 4
"""A shorter name stands in too many good passwords by chance."""

KNOWN = "Everybody tries this password first; choose another"
HOLDS_NAME = "The user's name stands in this password; choose another"
TOO_MANY_BYTES = f"A password should have at most {MAX_BYTES} bytes in UTF-8"


_LISTS = "frequency_lists"


class ListMissingError(Exception):
    """The package with the list of common passwords is not installed."""


def fold(text: str) -> str:
    """Return the text as passwords are compared: without case, blanks at the ends and forms of one character (NFKC)."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()).strip()


def is_common(password: str) -> bool:
    """Tell whether a password stands in the list, which holds none that is too short anyway."""
    return fold(password) in common_passwords()


def holds_name(password: str, name: str) -> bool:
    """Tell whether the user's name stands in the password; a short name never counts."""
    folded = fold(name)
    return len(folded) >= SHORTEST_NAME and folded in fold(password)


@cache
def common_passwords() -> frozenset[str]:
    """Return the common passwords that are long enough, folded; read once in a process, when the first one is judged.

    To import the package would cost 100 ms and keep 15 MB, for its estimator of strength, which is not used here. Its
    module of lists alone costs a quarter of that, and of it only 11 611 words stay, 1 MB.
    """
    words: list[str] = _lists("zxcvbn").FREQUENCY_LISTS["passwords"]
    return frozenset(word for word in words if len(word) >= MIN_LENGTH)


def _lists(package: str) -> ModuleType:
    """Run the package's module of lists by its file, without what imports it."""
    found = find_spec(package)
    origin = None if found is None else found.origin
    spec = None if origin is None else spec_from_file_location(_LISTS, Path(origin).with_name(f"{_LISTS}.py"))
    if spec is None or spec.loader is None:
        raise ListMissingError(f"The package {package} is not there; install what requirements.txt pins")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
