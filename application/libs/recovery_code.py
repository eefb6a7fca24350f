"""Make the codes that let somebody in who has lost their phone: written down, typed by hand, each good for once.

80 random bits in Crockford's base32, which has no letter that looks like another one. There is nothing to guess, so a
fast hash of it suffices, and it needs no key.
"""

import secrets

from application.libs.secret import digest_token

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_CHARACTERS, _GROUP = 16, 4
_MEANT = str.maketrans({"o": "0", "i": "1", "l": "1", "-": None})


def new_code() -> str:
    """Return a fresh code, as `4k7w-0xqd-93mt-hz8c`."""
    drawn = "".join(secrets.choice(_ALPHABET) for _character in range(_CHARACTERS))
    return "-".join(drawn[start : start + _GROUP] for start in range(0, _CHARACTERS, _GROUP))


def digest_code(text: str) -> str:
    """Return what is stored of a code, however it was typed.

    Case, blanks and hyphens say nothing; O is meant as 0, I and L as 1.
    """
    return digest_token("".join(text.split()).casefold().translate(_MEANT))
