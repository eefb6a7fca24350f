"""The languages there are texts in."""

from application.config.language import TRANSLATORS, chinese


class TestChinese:
    def test_is_what_the_catalogue_says(self) -> None:
        assert chinese("Page not found") == "页面不存在"

    def test_leaves_what_it_does_not_know(self) -> None:
        assert chinese("No such text anywhere") == "No such text anywhere"


class TestTranslators:
    def test_begin_with_english(self) -> None:
        assert list(TRANSLATORS) == ["en", "zh"]
        assert TRANSLATORS["en"]("Page not found") == "Page not found"
