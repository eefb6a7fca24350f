"""Take secrets out of text before it is written anywhere."""

import re
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import quote, unquote

MASK = "***"

SHORTEST = 4  # a shorter secret would tear holes into ordinary words; the patterns below still cover its usual places

PATTERNS = re.compile(  # bounded where a hostile line could make it try one start after the other
    r"""
      (?P<dsn> \b[a-z][a-z0-9+.-]{1,30}://[^\s:/@'"]{0,100}: ) [^\s'"]{1,200} (?=@)
    | (?P<header> \b(?:proxy-)?authorization\b["']?\s*[:=,]\s*["']?(?:(?:basic|bearer|digest|token)\s+)? ) [^\s'",;]+
    | (?P<cookie> \b(?:set-)?cookie\b["']?\s*[:=]\s*["']? ) [^\r\n'"]+
    | (?P<scheme> \bbearer\s+ ) [\w.~+/=-]{8,}
    | (?P<member> (?:password|passwd|pwd|secret|token|api_?key|secret_key)(?:_?hash)?["']?\s*[:=]\s* )
      (?: "(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*' | [^\s'"&,;)}\]]+ )
    | \$argon2[a-z]*\$[^\s'"]+
    """,
    re.IGNORECASE | re.VERBOSE,
)

SECRET_NAMES = re.compile(
    r"passw|passphrase|pwd|secret|token|hash|digest|credential|cookie|authorization|api[_-]?key|private[_-]?key|totp|recovery",
    re.IGNORECASE,
)
"""What the name of a field has in it whose value is never shown."""


class Redaction:
    """Mask the secrets it was told and whatever looks like one: passwords, tokens, DSNs, hashes."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        """Remember each secret in the spellings it may be written in."""
        spellings = {
            spelling
            for secret in secrets
            for spelling in (secret, quote(secret), quote(secret, safe=""), unquote(secret), repr(secret)[1:-1])
            if len(spelling) >= SHORTEST
        }
        longest_first = sorted(spellings, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    def __call__(self, text: str) -> str:
        """Return the text with every secret replaced by `***`."""
        if self._known is not None:
            text = self._known.sub(MASK, text)
        return PATTERNS.sub(_masked, text)


def masked(value: Any, redact: Callable[[str], str]) -> Any:
    """Return what JSON can hold, without what is secret by its name at any depth, and every other text redacted."""
    if isinstance(value, dict):
        return {
            name: MASK if SECRET_NAMES.search(name) and item is not None else masked(item, redact)
            for name, item in value.items()
        }
    if isinstance(value, list):
        return [masked(item, redact) for item in value]
    return redact(value) if isinstance(value, str) else value


def _masked(match: re.Match[str]) -> str:
    return f"{match[match.lastgroup] if match.lastgroup else ''}{MASK}"
