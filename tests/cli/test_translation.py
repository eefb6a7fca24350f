"""The catalogues of texts for people: complete, compiled, and kept by one command."""

from pathlib import Path

import pytest
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from flask import Flask

from application.cli import translation
from application.cli.translation import texts, translations, update_catalogue
from application.config.language import CATALOGUES

pytestmark = pytest.mark.one_database

PO = CATALOGUES / "zh" / "LC_MESSAGES" / "messages.po"
HEAD = '# Mine.\nmsgid ""\nmsgstr ""\n"Language: zh\\n"\n"Content-Type: text/plain; charset=utf-8\\n"\n\n'


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Point the command to a copy of the catalogue, which it may write."""
    file = tmp_path / "zh" / "LC_MESSAGES" / "messages.po"
    file.parent.mkdir(parents=True)
    file.write_bytes(PO.read_bytes())
    monkeypatch.setattr(translation, "CATALOGUES", tmp_path)
    return file


class TestTexts:
    def test_are_those_of_pages_and_documents(self, app: Flask) -> None:
        found = texts(app)
        assert {"Page not found", "Write a blog", "There is no such tag.", "The blog's id.", "OK"} <= set(found)
        assert {"When this version ends (RFC 8594).", "Only what has a larger {column}."} <= set(found)
        assert found == sorted(set(found))

    def test_are_all_translated_and_no_others(self, app: Flask) -> None:
        with PO.open("rb") as file:
            translated = {str(message.id) for message in read_po(file) if message.id and message.string}
        assert [text for text in texts(app) if text not in translated] == [], "run `manager.py translations`"
        assert translated - set(texts(app)) == set(), "run `manager.py translations`"

    def test_are_compiled_from_their_source(self) -> None:
        with PO.open("rb") as source, PO.with_suffix(".mo").open("rb") as made:
            wanted, found = read_po(source), read_mo(made)
        assert {each.id: each.string for each in wanted if each.id} == {e.id: e.string for e in found if e.id}


class TestTranslations:
    def test_changes_nothing_where_all_is_done(self, app: Flask, copied: Path) -> None:
        result = app.test_cli_runner().invoke(translations)
        assert (result.exit_code, result.output) == (0, "")
        assert copied.read_bytes() == PO.read_bytes()
        assert copied.with_suffix(".mo").read_bytes() == PO.with_suffix(".mo").read_bytes()

    def test_names_what_is_not_translated(self, app: Flask, copied: Path) -> None:
        copied.write_text(HEAD, encoding="utf-8")
        result = app.test_cli_runner().invoke(translations)
        assert result.exit_code == 1
        assert "zh: Page not found" in result.output.splitlines()
        assert f"texts have no translation: write it to {copied} and call this again" in result.output


class TestUpdateCatalogue:
    def test_keeps_what_is_wanted_and_drops_the_rest(self, tmp_path: Path) -> None:
        file = tmp_path / "messages.po"
        file.write_text(f'{HEAD}msgid "old"\nmsgstr "旧"\n\nmsgid "kept"\nmsgstr "留"\n', encoding="utf-8")
        assert update_catalogue(file, ["kept", "new"]) == ["new"]
        assert file.read_text(encoding="utf-8") == (f'{HEAD}msgid "kept"\nmsgstr "留"\n\nmsgid "new"\nmsgstr ""\n\n')
        with file.with_suffix(".mo").open("rb") as made:
            assert {each.id: each.string for each in read_mo(made) if each.id} == {"kept": "留"}
