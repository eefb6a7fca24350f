from pathlib import Path

from application.config.example import example
from application.config.setting import ROOT, Settings, load_settings
from tests.config.conftest import Start

FILE = ROOT / ".env.example"

CURE = "run `python -m application.config.example > .env.example`"


class TestExample:
    def test_is_what_the_file_holds(self) -> None:
        assert FILE.read_text(encoding="utf-8") == example(), CURE

    def test_names_every_setting_with_a_line_of_reason(self) -> None:
        lines = FILE.read_text(encoding="utf-8").splitlines()
        named = {line.partition("=")[0]: lines[at - 1] for at, line in enumerate(lines) if line and line[0] != "#"}

        assert list(named) == [name.upper() for name in Settings.model_fields], CURE
        for name, comment in named.items():
            assert comment == f"# {Settings.model_fields[name.lower()].description}"
            assert len(comment) <= 120

    def test_changes_nothing_when_it_is_copied(self, start: Start, project: Path) -> None:
        program = (
            "from application.config.setting import load_settings as load; "
            "assert load() == load(_env_file='.env.example'), load(_env_file='.env.example')"
        )
        (project / ".env.example").write_text(example(), encoding="utf-8")

        done = start(program)

        assert (done.returncode, done.stderr) == (0, "")

    def test_holds_no_secret(self) -> None:
        assert load_settings(environment="testing", _env_file=FILE).secrets() != []
        for name in ("SECRET_KEY", "ADMIN_PASSWORD", "MAIL_PASSWORD", "WEBHOOK_SECRET"):
            assert f"\n{name}=\n" in FILE.read_text(encoding="utf-8")

    def test_can_be_written_by_a_command(self, start: Start) -> None:
        done = start("import runpy; runpy.run_module('application.config.example', run_name='__main__')")

        assert done.stdout == example()
