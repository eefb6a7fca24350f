"""Code text as words of ASCII letters and digits, which every full-text engine splits and stores alike.

No engine of ours splits Chinese, and each has stop words, shortest words and a syntax of its own. So a word becomes one
term with `ww` in front, letters beyond ASCII by number; a run of Chinese, Japanese, Korean, Thai, … becomes its pairs
of characters (bigrams) with `cc` in front, and its last character alone, so that one character is found as a beginning.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import pairwise

MAX_CHARACTERS = 300_000
"""How much coded text a document keeps; a tsvector of PostgreSQL holds 1 MB, and what comes first matters most."""

MAX_TERM = 80
"""How long a term is at most; MariaDB leaves out what is longer than 84 (`innodb_ft_max_token_size`)."""

MAX_QUERY_TERMS = 50
"""How many terms a search has at most; the rest of a longer one is ignored."""

_PIECE = 200
_MOST_REMEMBERED = 8192  # words, 2 MB at most
_MAX_NORMALISED = 250_000  # U+FDFA alone becomes 18 characters
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_WORD, _PAIR = "ww", "cc"  # two letters, because MariaDB leaves out words below three (`innodb_ft_min_token_size`)
_STOP_WORD = "www"  # the word `w`, and the one code that MariaDB leaves out (`INNODB_FT_DEFAULT_STOPWORD`)
_END = "z"  # codes nothing alone, so no other word begins like one that has it behind

_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"  # Thai, Lao, Burmese, Khmer
    "\u1100-\u11ff\u3005-\u3007\u3040-\u30ff\u3100-\u318f\u31a0-\u31bf\u31f0-\u31ff"  # Hangul letters, kana, bopomofo
    "\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\U00020000-\U000323af"  # ideographs, Hangul
    "\u2600-\u27bf\U0001f000-\U0001faff"  # pictures
)
_MARKS = (
    "\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf\u05c1-\u05c2\u05c4-\u05c5\u0610-\u061a\u064b-\u065f\u0670"
    "\u06d6-\u06dc\u06df-\u06e8\u06ea-\u06ed\u0900-\u0963\u0966-\u0dff\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff"
)  # they belong to the word, although `\w` of Python leaves many of them out
_TERMS = re.compile(rf"([{_UNSPACED}]+)|((?:[^\W_{_UNSPACED}]|[{_MARKS}])+)")
_BREAK = re.compile(rf".{{0,{_PIECE}}}(?:\s|\Z)|.{{{_PIECE}}}", re.DOTALL)


def index_text(*texts: str) -> str:
    """Return the terms of the texts, each once, for the column that the engine indexes."""
    found: dict[str, None] = {}
    length = 0
    for term in _terms(texts):
        if term not in found:
            length += len(term) + 1
            if length > MAX_CHARACTERS:
                break
            found[term] = None
    return " ".join(found)


def query_terms(text: str) -> list[str]:
    """Return what all must be in a document that is found; a term with an asterisk is the beginning of one."""
    found: dict[str, None] = {}
    for run, word in _TERMS.findall(_normalised(text)):
        if word:
            found[f"{_WORD}{_coded(word)}*"] = None
        elif len(run) == 1:
            found[f"{_PAIR}{_coded(run)}*"] = None
        else:
            found.update(dict.fromkeys(_pairs(run)))
    return list(found)[:MAX_QUERY_TERMS]


def _terms(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        for match in _TERMS.finditer(_normalised(text)):
            run, word = match.groups()
            if word:
                yield _term(word)
            else:
                yield from _pairs(run)
                yield _PAIR + _coded(run[-1])


def _term(word: str) -> str:
    """Return the word's term; the words that texts are mostly made of are few, so they are remembered."""
    return _remembered_term(word) if len(word) <= MAX_TERM else _made_term(word)


def _made_term(word: str) -> str:
    """Return the word's term; words are asked for by their beginning, so one with an end mark is found as before."""
    term = _WORD + _coded(word)
    return term + _END if term == _STOP_WORD else term


_remembered_term = lru_cache(_MOST_REMEMBERED)(_made_term)


def _pairs(run: str) -> Iterator[str]:
    return (_PAIR + first + second for first, second in pairwise(map(_code, run)))


def _normalised(text: str) -> str:
    """Return the text in one form of each character (NFKC) and in lower case.

    It goes piece by piece: sorting a run of combining marks takes the square of its length.
    """
    if text.isascii():
        return text.lower()
    return _joined((_folded(match.group()) for match in _BREAK.finditer(text)), most=_MAX_NORMALISED)


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def _coded(text: str) -> str:
    """Return the text in ASCII letters and digits; the code of a beginning is the beginning of the code.

    A `z` is doubled, and a character beyond ASCII is `z` with its number in four digits, of which the first is no `z`.
    """
    if text.isascii():
        return text[:MAX_TERM].replace("z", "zz")[: MAX_TERM - 2]
    return _joined(map(_code, text), most=MAX_TERM - len(_WORD))


def _joined(pieces: Iterable[str], *, most: int) -> str:
    """Return as many whole pieces as fit into so many characters, and look at no more of them."""
    taken, length = [], 0
    for piece in pieces:
        length += len(piece)
        if length > most:
            break
        taken.append(piece)
    return "".join(taken)


def _code(character: str) -> str:
    if character.isascii():
        return "zz" if character == "z" else character
    number, digits = ord(character), ""
    for _place in range(4):
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return "z" + digits
