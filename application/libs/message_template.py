"""Write messages from templates: subject and text, as HTML too where there is a template for it, in a language.

A template is a folder with `subject.txt`, `text.txt` and `html.html` for mail, `sms.txt` for short messages; any of the
two may be missing. Texts for people stand within `{% trans %}` and are translated by the catalogues.
"""

import unicodedata
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from application.libs.multilingual import Translate, Translators
from application.libs.record import Record

SUBJECT_LENGTH = 200


class Written(Record):
    """Hold a message as it is read; a short message has neither subject nor HTML."""

    subject: str | None
    text: str
    html: str | None


class MessageTemplates:
    """Hold the templates of a folder, each in every language there is."""

    def __init__(self, folder: Path, translators: Translators) -> None:
        """Read nothing yet."""
        self._folder = folder
        self._translators = translators
        self._environment = cache(self._build)

    def languages(self) -> list[str]:
        """Return the languages, the one for everybody else first."""
        return list(self._translators)

    def language(self, wanted: str) -> str:
        """Return the language that is nearest to the one wanted: `zh` for `zh-CN`, the first for one unknown."""
        known = self.languages()
        primary = wanted.replace("_", "-").partition("-")[0].lower()
        return primary if primary in known else known[0]

    def names(self) -> list[str]:
        """Return the names of all templates."""
        return sorted(path.name for path in self._folder.iterdir() if path.is_dir())

    def has_mail(self, name: str) -> bool:
        """Tell whether mail can be written from a template."""
        return (self._folder / name / "text.txt").exists()

    def has_sms(self, name: str) -> bool:
        """Tell whether short messages can be written from a template."""
        return (self._folder / name / "sms.txt").exists()

    def mail(self, name: str, language: str, values: Mapping[str, Any]) -> Written:
        """Write a mail; raise jinja2.UndefinedError where a value is missing."""
        subject = self.subject(name, language, values)
        given = {**values, "subject": subject}
        html = self._render(f"{name}/html.html", language, given) if self._has_html(name) else None
        return Written(subject=subject, text=self._render(f"{name}/text.txt", language, given), html=html)

    def sms(self, name: str, language: str, values: Mapping[str, Any]) -> Written:
        """Write a short message."""
        return Written(subject=None, text=self._render(f"{name}/sms.txt", language, values).strip(), html=None)

    def subject(self, name: str, language: str, values: Mapping[str, Any]) -> str:
        """Write the subject of a mail: one line, whatever stands in the values."""
        return one_line(self._render(f"{name}/subject.txt", language, values))[:SUBJECT_LENGTH]

    def _has_html(self, name: str) -> bool:
        return (self._folder / name / "html.html").exists()

    def _render(self, file: str, language: str, values: Mapping[str, Any]) -> str:
        return self._environment(language).get_template(file).render({**values, "language": language})

    def _build(self, language: str) -> Environment:
        translate: Translate = self._translators[language]
        environment = Environment(
            loader=FileSystemLoader(self._folder),
            autoescape=select_autoescape(["html"], default_for_string=False),
            undefined=StrictUndefined,
            extensions=["jinja2.ext.i18n"],
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
        environment.policies["ext.i18n.trimmed"] = True
        install: Any = environment
        install.install_gettext_callables(
            translate, lambda one, many, count: translate(one if count == 1 else many), newstyle=True
        )
        return environment


def one_line(text: str) -> str:
    """Return text without line breaks and control characters, blanks once each."""
    kept = "".join(letter for letter in " ".join(text.split()) if unicodedata.category(letter) != "Cc")
    return kept.strip()
