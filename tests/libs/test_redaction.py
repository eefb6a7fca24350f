import pytest

from application.libs.redaction import Redaction, masked

DSN = "postgresql://web:p%40ss/word@db.example:5432/app"


class TestRedaction:
    @pytest.mark.parametrize(
        ("text", "masked"),
        [
            ("nothing to hide", "nothing to hide"),
            ("at redis://:pa55@cache/0 and amqp://u:pa55@mq//", "at redis://:***@cache/0 and amqp://u:***@mq//"),
            ("'postgresql://u:p@ss/word@db/app'", "'postgresql://u:***@db/app'"),
            ("see https://example.org:8080/a/b", "see https://example.org:8080/a/b"),
            ("Authorization: Bearer abc.def", "Authorization: Bearer ***"),
            ("{'Authorization': 'Basic dXNlcjpwYXNz', 'A': 'b'}", "{'Authorization': 'Basic ***', 'A': 'b'}"),
            ("('Authorization', 'Bearer abcdef')", "('Authorization', 'Bearer ***')"),
            ("got Bearer 0123456789abcdef today", "got Bearer *** today"),
            ("Cookie: session=abc; csrf=def", "Cookie: ***"),
            ("Set-Cookie: sid=abc; Path=/", "Set-Cookie: ***"),
            ("password=hunter2&name=ann", "password=***&name=ann"),
            ('{"password": "hun\\"ter 2", "name": "ann"}', '{"password": ***, "name": "ann"}'),
            ("{'new_password': 'hunter 2'}", "{'new_password': ***}"),
            ("access_token=abc refresh-token: def", "access_token=*** refresh-token: ***"),
            ("SECRET_KEY='abc' API_KEY=abc", "SECRET_KEY=*** API_KEY=***"),
            ("('ann', '$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA')", "('ann', '***')"),
            ("/api/v1/x?token=abc&page=2", "/api/v1/x?token=***&page=2"),
            ("the token is missing; passwords have 8 characters", "the token is missing; passwords have 8 characters"),
        ],
    )
    def test_masks_what_looks_like_a_secret(self, text: str, masked: str) -> None:
        assert Redaction()(text) == masked

    def test_masks_what_it_was_told_in_every_spelling(self) -> None:
        redact = Redaction(["p@ss/'word", "zz"])

        for spelling in ("p@ss/'word", "p%40ss/%27word", "p%40ss%2F%27word", 'a "p@ss/\'word" b'):
            assert "word" not in redact(spelling)
        assert redact("puzzle") == "puzzle"

    def test_masks_the_longer_of_two(self) -> None:
        assert Redaction(["secr", "secret-key-1"])("x secret-key-1 y") == "x *** y"

    @pytest.mark.timeout(2)
    @pytest.mark.parametrize("piece", ["a", "a.", "http://", "password", "cookie: a=b;", "'", "bearer ", "x=' "])
    def test_is_quick_on_a_hostile_line(self, piece: str) -> None:
        assert Redaction(["pa55word"])(piece * 10_000 + "pa55word").endswith("***")


class TestMasked:
    @pytest.mark.parametrize(
        "name",
        ["password", "Password_Hash", "refreshToken", "secret_key", "api-key", "apiKey", "token_digest", "Set-Cookie"],
    )
    def test_hides_what_is_secret_by_its_name_at_any_depth(self, name: str) -> None:
        given = {"kwargs": {"steps": [{name: ["hunter2", 7], "n": 1}]}, name: 7}
        assert masked(given, Redaction()) == {"kwargs": {"steps": [{name: "***", "n": 1}]}, name: "***"}

    def test_tells_that_there_is_none(self) -> None:
        assert masked({"password_hash": None}, Redaction()) == {"password_hash": None}

    def test_redacts_other_texts_and_leaves_the_rest(self) -> None:
        given = {"url": DSN, "list": ["s3cr3t-key", 1.5, True, None], "description": "the token is missing"}
        shown = {"url": "postgresql://web:***@db.example:5432/app", "list": ["***", 1.5, True, None]}
        assert masked(given, Redaction(["s3cr3t-key"])) == given | shown
