"""Name the languages there are texts in; English is what stands in the source."""

from functools import cache
from pathlib import Path

from babel.support import NullTranslations, Translations

from application.libs.multilingual import Translators, untranslated

CATALOGUES = Path(__file__).parents[1] / "translations"


@cache
def _chinese() -> NullTranslations:
    return Translations.load(CATALOGUES, ["zh"])


def chinese(text: str) -> str:
    """Return the Chinese for a text of the source, which stays as it is where there is none."""
    return _chinese().gettext(text)


TRANSLATORS: Translators = {"en": untranslated, "zh": chinese}
