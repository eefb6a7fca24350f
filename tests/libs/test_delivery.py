from application.libs.delivery import REPLY_LENGTH, PermanentFailure, TemporaryFailure, said


class TestSaid:
    def test_is_one_short_line_that_can_be_stored(self) -> None:
        assert said(b"mailbox\r\n full \xff\x00") == "mailbox full \ufffd\ufffd"
        assert len(said("x" * 10_000)) == REPLY_LENGTH


class TestFailures:
    def test_say_when_to_try_again_only_if_that_helps(self) -> None:
        assert TemporaryFailure("busy", retry_after_seconds=3).retry_after_seconds == 3
        assert not hasattr(PermanentFailure("no"), "retry_after_seconds")
