from pathlib import Path

import pytest

from application.config.address import in_memory, in_temporary_directory, passwords


class TestInMemory:
    @pytest.mark.parametrize(
        ("url", "answer"),
        [
            ("sqlite://", True),
            ("sqlite:///:memory:", True),
            ("sqlite:///file::memory:?uri=true", True),
            ("sqlite:///file:shared?mode=memory&uri=true", True),
            ("sqlite:////var/lib/application.db", False),
            ("postgresql+psycopg://db/x", False),
        ],
    )
    def test_knows_every_spelling(self, url: str, answer: bool) -> None:
        assert in_memory(url) is answer


class TestInTemporaryDirectory:
    @pytest.mark.parametrize(
        ("url", "answer"),
        [
            ("sqlite:////tmp/a/application.db", True),
            ("sqlite:////var/tmp/application.db", True),
            ("sqlite:////dev/shm/application.db", True),
            ("sqlite:///file:/tmp/application.db?uri=true", True),
            ("sqlite:////srv/tmp/application.db", False),
            ("sqlite:////tmpfiles/application.db", False),
            ("sqlite://", False),
            ("mysql+pymysql://db/tmp", False),
        ],
    )
    def test_knows_the_places(self, url: str, answer: bool) -> None:
        assert in_temporary_directory(url) is answer

    def test_sees_through_links(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "scratch"))
        (tmp_path / "scratch").mkdir()
        (tmp_path / "data").symlink_to(tmp_path / "scratch")

        assert in_temporary_directory(f"sqlite:///{tmp_path}/data/application.db")


class TestPasswords:
    @pytest.mark.parametrize(
        ("url", "found"),
        [
            ("redis://:a%2Fb@h/0", {"a%2Fb", "a/b"}),
            ("amqp://u:plain@h//", {"plain"}),
            ("memory://", set()),
            (None, set()),
        ],
    )
    def test_gives_both_spellings(self, url: str | None, found: set[str]) -> None:
        assert set(passwords(url)) == found
