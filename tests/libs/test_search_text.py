"""Terms: ASCII alone, alike for what is alike, found by their beginning, and bounded."""

import itertools
import re
import string
import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from application.libs.search_text import MAX_CHARACTERS, MAX_QUERY_TERMS, MAX_TERM, index_text, query_terms

SIGNS = string.ascii_letters + string.digits + "é中"
BUDGET = settings(max_examples=200, deadline=None, database=None)
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=200)
WORDS = st.text(st.sampled_from("abzéяwß1ñ"), min_size=1, max_size=12)
IDEOGRAPHS = st.text(st.sampled_from("中文标题搜索かカ한국"), min_size=1, max_size=8)


def found(query: str, *texts: str) -> bool:
    """Tell whether a document of the texts holds every term of the query."""
    terms = index_text(*texts).split()
    return all(
        any(term.startswith(asked[:-1]) if asked.endswith("*") else term == asked for term in terms)
        for asked in query_terms(query)
    )


class TestIndexText:
    @pytest.mark.parametrize(
        ("text", "terms"),
        [
            ("", ""),
            ("!?% _ -", ""),
            ("Hello, hello WORLD", "wwhello wwworld"),
            ("snake_case", "wwsnake wwcase"),
            ("buzz", "wwbuzzzz"),
            ("w", "wwwz"),
            ("x", "wwx"),
            ("é", "wwz006h"),
            ("e\N{COMBINING ACUTE ACCENT}", "wwz006h"),
            ("Straße", "wwstrasse"),
            ("ＡＢＣ１", "wwabc1"),
            ("中", "ccz0ffx"),
            ("中文", "ccz0ffxz0k1z ccz0k1z"),
            ("中文a", "ccz0ffxz0k1z ccz0k1z wwa"),
            ("中,文", "ccz0ffx ccz0k1z"),
        ],
    )
    def test_gives_words_and_pairs(self, text: str, terms: str) -> None:
        assert index_text(text) == terms

    @pytest.mark.parametrize("stop_word", ["www", "about", "the", "who"])
    def test_gives_no_stop_word(self, stop_word: str) -> None:
        words = [*SIGNS, *("".join(pair) for pair in itertools.product(SIGNS, repeat=2))]
        assert stop_word not in {term for word in words for term in index_text(word).split()}

    def test_takes_texts_in_order_and_terms_once(self) -> None:
        assert index_text("a b", "b c") == "wwa wwb wwc"

    @BUDGET
    @given(text=TEXT)
    @example(text="z" * 200)
    @example(text="\ufdfa" * 100)
    def test_gives_letters_and_digits_that_every_engine_keeps(self, text: str) -> None:
        for term in index_text(text).split():
            assert re.fullmatch("(ww|cc)[a-z0-9]+", term)
            assert 3 <= len(term) <= MAX_TERM

    @pytest.mark.parametrize(
        "text",
        [
            "".join(chr(0x4E00 + number * 7919 % 20_000) for number in range(200_000)),
            " ".join(f"{number:x}" for number in range(60_000)),
            "\ufdfa" * 200_000,
            "a" + "\u0316\u0301" * 100_000,
            "\N{GRINNING FACE}" * 200_000,
        ],
    )
    def test_is_bounded_whatever_the_text(self, text: str) -> None:
        assert len(index_text("Title", text)) <= MAX_CHARACTERS
        assert index_text("Title", text).startswith("wwtitle ")


class TestQueryTerms:
    @pytest.mark.parametrize(
        ("query", "terms"),
        [
            ("", []),
            ('"*()%', []),
            ("flask", ["wwflask*"]),
            ("AND or", ["wwand*", "wwor*"]),
            ("a a", ["wwa*"]),
            ("中", ["ccz0ffx*"]),
            ("中文", ["ccz0ffxz0k1z"]),
            ("中文a", ["ccz0ffxz0k1z", "wwa*"]),
        ],
    )
    def test_asks_for_words_by_their_beginning_and_for_pairs_whole(self, query: str, terms: list[str]) -> None:
        assert query_terms(query) == terms

    @BUDGET
    @given(query=TEXT)
    def test_holds_nothing_an_engine_could_read_as_syntax(self, query: str) -> None:
        terms = query_terms(query)
        assert all(re.fullmatch("(ww|cc)[a-z0-9]+[*]?", term) for term in terms)
        assert len(terms) <= MAX_QUERY_TERMS

    @BUDGET
    @given(text=TEXT)
    def test_finds_every_text_by_itself_in_any_form(self, text: str) -> None:
        for form in (text, unicodedata.normalize("NFD", text), unicodedata.normalize("NFKC", text)):
            assert found(form, "before", text, "behind")

    @BUDGET
    @given(words=st.lists(WORDS, min_size=1, max_size=5), length=st.integers(1, 12))
    def test_finds_words_by_every_beginning_in_either_case(self, words: list[str], length: int) -> None:
        for word in words:
            beginning = unicodedata.normalize("NFKC", word.casefold())[:length]
            assert found(beginning, " ".join(words))
            assert found(beginning.upper(), " ".join(words))

    @BUDGET
    @given(stored=WORDS, asked=WORDS)
    def test_finds_no_word_that_begins_otherwise(self, stored: str, asked: str) -> None:
        assert found(asked, stored) is stored.casefold().startswith(asked.casefold())

    @BUDGET
    @given(text=IDEOGRAPHS, place=st.integers(0, 7), length=st.integers(1, 8))
    def test_finds_every_part_of_a_run(self, text: str, place: int, length: int) -> None:
        part = text[place : place + length]
        assert found(part, f"before {text}, behind")

    @BUDGET
    @given(text=IDEOGRAPHS, pair=st.text(st.sampled_from("中文标题搜索かカ"), min_size=1, max_size=2))
    def test_finds_no_one_or_two_characters_that_are_not_there(self, text: str, pair: str) -> None:
        assert found(pair, text) is (pair in text)
