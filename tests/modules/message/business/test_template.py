import re
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from jinja2 import Environment, FileSystemLoader, meta

import application.modules.message
from application.config.language import CATALOGUES
from application.libs.redaction import MASK
from application.modules.message.business import template as templates

FOLDER = Path(application.modules.message.__file__).parent / "templates" / "message"
GIVEN = {"subject", "language", "gettext"}


def variables(name: str) -> set[str]:
    """Return what the files of a template are to be filled with, beside what each is given."""
    environment = Environment(loader=FileSystemLoader(FOLDER), extensions=["jinja2.ext.i18n"], autoescape=True)
    files = [file.read_text(encoding="utf-8") for file in (FOLDER / name).iterdir()]
    files += [(FOLDER / f"layout.{kind}").read_text(encoding="utf-8") for kind in ("txt", "html")]
    return set().union(*(meta.find_undeclared_variables(environment.parse(file)) for file in files)) - GIVEN


class TestTemplates:
    def test_are_those_of_the_folder(self) -> None:
        assert sorted(templates.TEMPLATES) == templates.WRITER.names()

    @pytest.mark.parametrize("name", sorted(templates.TEMPLATES))
    def test_are_filled_with_what_they_name(self, name: str) -> None:
        template = templates.TEMPLATES[name]
        assert set(template.sample) >= variables(name)
        assert template.secret <= set(template.sample)

    @pytest.mark.parametrize("name", sorted(templates.TEMPLATES))
    @pytest.mark.parametrize("language", templates.WRITER.languages())
    def test_are_written_in_each_language(self, name: str, language: str) -> None:
        template = templates.TEMPLATES[name]
        written = templates.write(template, "mail", language, template.sample)
        assert written.html is not None
        for text in (written.subject, written.text, written.html):
            assert (re.search(r"[\u4e00-\u9fff]", text or "") is not None) == (language == "zh")
        assert re.search(r"src=|url\(|<style|<link", written.html) is None, "no file of elsewhere, styles inline"

    def test_are_translated_with_the_same_places_to_fill(self) -> None:
        with (CATALOGUES / "zh" / "LC_MESSAGES" / "messages.po").open("rb") as file:
            catalogue = read_po(file)
        for message in catalogue:
            places = [sorted(re.findall(r"%\(\w+\)s", str(text))) for text in (message.id, message.string)]
            assert places[0] == places[1], message.id


class TestChecked:
    def test_cuts_and_cleans_texts(self) -> None:
        template = templates.TEMPLATES["code"]
        values = templates.checked(template, {"code": "a\x00b\ud800", "minutes": "x" * 20_000})
        assert values["code"] == "a\ufffdb\ufffd"
        assert values["minutes"] == "x" * (templates.MOST_TEXT - 1) + "…"

    def test_takes_nothing_for_a_parameter(self) -> None:
        template = templates.TEMPLATES["job_alert"]
        values = templates.checked(template, {**template.sample, "link": None, "error": None})
        assert "None" not in templates.write(template, "mail", "en", values).text


class TestMaskedSubject:
    def test_hides_what_is_secret(self) -> None:
        template = templates.TEMPLATES["code"]
        assert templates.masked_subject(template, "en", template.sample) == f"Your code: {MASK}"
