"""Names that every system can save."""

import pytest

from application.modules.file.business.naming import cleaned


class TestCleaned:
    @pytest.mark.parametrize(
        ("given", "shown"),
        [
            ("photo.png", "photo.png"),
            ("照片.PNG", "照片.PNG"),
            ("../../etc/passwd.png", "passwd.png"),
            ("C:\\Users\\ada\\a.png", "a.png"),
            ("a\x00\r\nb.png", "ab.png"),
            ("evil\u202egnp.exe", "evilgnp.exe.png"),
            ('a<b>:"c|?*.png', "a_b___c___.png"),
            ("..", "file.png"),
            ("", "file.png"),
            (" .hidden.png ", "hidden.png"),
            ("e\u0301.png", "\u00e9.png"),
            ("x" * 250 + ".png", "x" * 196 + ".png"),
        ],
    )
    def test_shows_what_can_be_saved(self, given: str, shown: str) -> None:
        assert cleaned(given, "image/png") == shown
