"""Crontabs in words."""

import pytest

from application.config.language import chinese
from application.libs.multilingual import untranslated
from application.libs.trigger import BadTriggerError, describe


class TestDescribe:
    @pytest.mark.parametrize(
        ("text", "english", "translated"),
        [
            ("0 5 * * 1", "At 05:00, on Monday.", "每逢星期一，05:00。"),
            ("30 5,17 * * 1-5", "At 05:30, 17:30, on Monday to Friday.", "每逢星期一至星期五，05:30、17:30。"),
            ("* * * * *", "Every minute, every day.", "每天，每分钟。"),
            ("*/15 9-17 * * *", "Every 15 minutes of hour 9 to 17, every day.", "每天，9至17 点的每 15 分钟。"),
            ("5,10 * * * *", "At minute 5, 10 of every hour, every day.", "每天，每小时第 5、10 分。"),
            (
                "0 */2 * * *",
                "At minute 0 of every hour that 2 divides, every day.",
                "每天，在能被 2 整除的每个小时，第 0 分。",
            ),
            ("0 0 1,15 * *", "At 00:00, on day 1, 15 of the month.", "每月 1、15 日，00:00。"),
            ("0 0 13 * 5", "At 00:00, on day 13 of the month or on Friday.", "每月 13 日或星期五，00:00。"),
            (
                "0 0 */14 * sun",
                "At 00:00, on day 1, 15, 29 of the month if it is Sunday.",
                "每月 1、15、29 日且为星期日，00:00。",
            ),
            ("@yearly", "At 00:00, on day 1 of the month, in January.", "一月，每月 1 日，00:00。"),
        ],
    )
    def test_says_it_in_english_and_in_chinese(self, text: str, english: str, translated: str) -> None:
        assert describe(text, untranslated) == english
        assert describe(text, chinese) == translated

    def test_refuses_what_is_no_crontab(self) -> None:
        with pytest.raises(BadTriggerError):
            describe("often", untranslated)
