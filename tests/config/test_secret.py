import stat
from pathlib import Path

import pytest
from pydantic import SecretStr

from application.config.secret import KeyFileError, fault_of_key, is_known_password, key_of_file, new_key


class TestKeyOfFile:
    def test_makes_a_key_once(self, tmp_path: Path) -> None:
        file = tmp_path / ".secret_key"

        assert key_of_file(file) == key_of_file(file) == file.read_text()
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert list(tmp_path.iterdir()) == [file]

    def test_keeps_the_key_that_another_process_made_meanwhile(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file = tmp_path / ".secret_key"
        file.write_text("k" * 40)
        monkeypatch.setattr(Path, "exists", lambda _path: False)

        assert key_of_file(file) == "k" * 40

    def test_closes_the_file_to_others(self, tmp_path: Path) -> None:
        file = tmp_path / ".secret_key"
        file.write_text("k" * 40)
        file.chmod(0o644)

        key_of_file(file)

        assert stat.S_IMODE(file.stat().st_mode) == 0o600

    @pytest.mark.parametrize("content", [b"", b"short", b"\n\n"])
    def test_refuses_a_file_without_a_key(self, tmp_path: Path, content: bytes) -> None:
        file = tmp_path / ".secret_key"
        file.write_bytes(content)

        with pytest.raises(KeyFileError, match="delete it"):
            key_of_file(file)

    def test_refuses_a_folder_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(KeyFileError, match="set SECRET_KEY"):
            key_of_file(tmp_path / "missing" / ".secret_key")


class TestFaultOfKey:
    @pytest.mark.parametrize(
        ("key", "fault"),
        [
            ("", "missing"),
            ("  \n", "missing"),
            ("secret!", "known"),
            ("DEV", "known"),
            ("change-me_change-me_change-me_123456", "known"),
            ("django-insecure-0123456789abcdefghijklmnopqrstuv", "known"),
            ("192b9bdd22ab9ed4d12e236c78afcb9a393ec15f71bbf5dc987d54727823bcbf", "known"),
            ("4f1c9d27e0ab83f65d7a2c94b1e8f06", "shorter than 32"),
            ("0101010101010101010101010101010101010101", "easy to guess"),
        ],
    )
    def test_names_what_is_wrong(self, key: str, fault: str) -> None:
        assert fault in str(fault_of_key(key))

    def test_finds_none_in_what_it_makes(self) -> None:
        assert [fault_of_key(new_key()) for _ in range(100)] == [None] * 100

    def test_takes_random_digits(self) -> None:
        assert fault_of_key("8347120956473829105647382910573826") is None


class TestIsKnownPassword:
    @pytest.mark.parametrize(
        ("password", "known"),
        [("admin", True), (" Password ", True), ("12345678", True), ("correct-horse", False), ("admin-of-this", False)],
    )
    def test_tells_what_everybody_tries(self, password: str, known: bool) -> None:
        assert is_known_password(SecretStr(password)) is known
        assert is_known_password(None) is False
