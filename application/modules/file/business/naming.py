"""Clean the name a client gives a file: it is shown when the file is saved, and is nothing else."""

import re
import unicodedata

from application.libs.media_type import with_extension
from application.modules.file.models import NAME_LENGTH

_PATH = re.compile(r"[/\\]")
_BAD = re.compile(r'[\x00-\x1f\x7f-\x9f<>:"|?*]')
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})  # controls, and what turns the writing's direction

NAMELESS = "file"


def cleaned(name: str, media_type: str) -> str:
    """Return a name that every system can save: no path, no hidden characters, and the ending of its type."""
    last = _PATH.split(unicodedata.normalize("NFC", name))[-1]
    shown = "".join(letter for letter in last if unicodedata.category(letter) not in _HIDDEN)
    plain = _BAD.sub("_", shown).strip(" .") or NAMELESS
    whole = with_extension(plain, media_type)
    if len(whole) <= NAME_LENGTH:
        return whole
    stem, dot, ending = whole.rpartition(".")
    return f"{stem[: NAME_LENGTH - len(ending) - 1]}{dot}{ending}"
