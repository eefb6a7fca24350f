"""Mistakes in a declaration."""

from application.libs.declaration import DeclarationError, guess, mistake, said_here


class TestMistake:
    def test_says_where_what_and_the_cure(self) -> None:
        error = mistake("blog.show", "it has no docstring", "Write one")
        assert isinstance(error, DeclarationError)
        assert str(error) == "blog.show: it has no docstring. Write one"


class TestGuess:
    def test_names_the_nearest(self) -> None:
        assert guess("qeury", ["body", "query", "quality"]) == "Did you mean `query`? "

    def test_is_silent_where_none_is_near(self) -> None:
        assert guess("session", ["body", "query"]) == ""


class TestSaidHere:
    def test_knows_the_words_of_others(self) -> None:
        assert said_here("response_model") == "Name the wire schema with `answer=`"
        assert said_here("anything") == ""
