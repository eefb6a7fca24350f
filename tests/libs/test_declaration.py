"""Mistakes in a declaration."""

from application.libs.declaration import DeclarationError, mistake


class TestMistake:
    def test_says_where_what_and_the_cure(self) -> None:
        error = mistake("blog.show", "it has no docstring", "Write one")
        assert isinstance(error, DeclarationError)
        assert str(error) == "blog.show: it has no docstring. Write one"
