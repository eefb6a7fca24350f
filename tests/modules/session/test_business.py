"""Rules of sessions."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from application.config.current import current_settings
from application.database import execute
from application.libs.remote import Client
from application.libs.secret import digest_token
from application.modules.audit import business as audit
from application.modules.session import business
from application.modules.session.models import Session
from application.modules.user import business as user_business
from tests.moments import NOW, at

pytestmark = pytest.mark.usefixtures("unit")


@pytest.fixture
def ada(unit: None) -> str:
    """Create a user."""
    return user_business.create(name="ada", password_hash=None).id


def row() -> sa.RowMapping:
    return execute(sa.select(Session)).mappings().one()


class TestBegin:
    def test_stores_no_token(self, ada: str) -> None:
        tokens = business.begin(ada)
        stored = row()
        for token in (tokens.token, tokens.refresh_token, *tokens.refresh_token.split(".")):
            assert token not in str(dict(stored))
        assert stored["access_digest"] == digest_token(tokens.token)
        assert (len(tokens.token), len(tokens.refresh_token)) == (43, 66)

    def test_gives_other_tokens_each_time(self, ada: str) -> None:
        pairs = [business.begin(ada) for _ in range(5)]
        assert len({token for pair in pairs for token in (pair.token, pair.refresh_token)}) == 10

    def test_says_when_it_ends(self, ada: str) -> None:
        with at():
            tokens = business.begin(ada)
        assert (tokens.expires_in, tokens.refresh_expires_in) == (900, 7 * 86_400)
        assert tokens.expires_at == NOW + timedelta(minutes=15)
        assert tokens.refresh_expires_at == NOW + timedelta(days=7)
        assert row()["ends_at"] == NOW + timedelta(days=30)

    def test_keeps_one_line_of_what_a_client_calls_itself(self, ada: str) -> None:
        business.begin(ada, client=Client("curl\r\n\x1b[31m8 \x00" + "é" * 300, "x" * 100))
        stored = row()
        assert stored["device"] == "curl[31m8 " + "é" * 190
        assert stored["address"] == "x" * 45


class TestRefresh:
    def test_lasts_for_thirty_days_at_most(self, ada: str) -> None:
        with at():
            tokens = business.begin(ada)
        for day in (6, 12, 18, 24):
            with at(days=day):
                tokens = business.refresh(tokens.refresh_token)
                assert tokens.expires_in == 900
        assert tokens.refresh_expires_at == NOW + timedelta(days=30)
        with at(days=30, minutes=-10):
            tokens = business.refresh(tokens.refresh_token)
            assert (tokens.expires_in, tokens.refresh_expires_in) == (600, 600)
        with at(days=30), pytest.raises(business.RefreshRefused):
            business.refresh(tokens.refresh_token)

    def test_refuses_after_seven_days_without_it(self, ada: str) -> None:
        with at():
            tokens = business.begin(ada)
        with at(days=7), pytest.raises(business.RefreshRefused):
            business.refresh(tokens.refresh_token)

    def test_only_refuses_a_client_that_asks_twice_at_once(self, ada: str) -> None:
        with at():
            first = business.begin(ada)
            second = business.refresh(first.refresh_token)
        with at(seconds=9), pytest.raises(business.RefreshRefused):
            business.refresh(first.refresh_token)
        with at(seconds=9):
            third = business.refresh(second.refresh_token)
        with at(seconds=20), pytest.raises(business.RefreshRefused):
            business.refresh(second.refresh_token)
        with at(seconds=20), pytest.raises(business.RefreshRefused):
            business.refresh(third.refresh_token)

    def test_ends_the_session_of_a_guess_within_a_family(self, ada: str) -> None:
        tokens = business.begin(ada)
        with pytest.raises(business.RefreshRefused):
            business.refresh(tokens.refresh_token[:-1])
        assert execute(sa.select(Session.id)).all() == []


class TestNoteSeen:
    def test_writes_once_a_minute(self, ada: str) -> None:
        with at():
            business.begin(ada)
        session_id, seen = row()["id"], []
        for seconds in (59, 60, 100, 120):
            with at(seconds=seconds):
                business.note_seen.now(session_id)
            seen.append((row()["last_seen_at"] - NOW).total_seconds())
        assert seen == [0, 60, 60, 120]


class TestRevoke:
    def test_ends_this_session_only(self, ada: str) -> None:
        business.begin(ada)
        session_id = row()["id"]
        other = business.begin(ada)
        business.revoke(session_id)
        business.revoke(session_id)
        assert row()["access_digest"] == digest_token(other.token)


class TestWrittenDown:
    """What ends a session is found in the audit, once."""

    def said(self) -> list[tuple[str, str | None]]:
        rows = audit.search(limit=10, sort="at").items
        return [(one.action, one.subject_name) for one in rows if one.action != "user.create"]

    def test_is_who_signs_out(self, ada: str) -> None:
        business.begin(ada)
        session_id = row()["id"]
        for _time in range(2):
            business.leave(session_id, ada, "ada")
        assert self.said() == [("user.sign_out", "ada")]

    def test_is_what_was_ended_here_and_everywhere(self, ada: str) -> None:
        business.begin(ada)
        business.revoke(row()["id"])
        business.begin(ada)
        for ended in (1, 0):
            assert business.revoke_all(ada) == business.EndedRow(ended)
        assert self.said() == [("session.end", "ada"), ("user.end_sessions", None)]

    def test_is_a_token_that_was_used_again(self, ada: str) -> None:
        tokens = business.begin(ada)
        with pytest.raises(business.RefreshRefused):
            business.refresh(tokens.refresh_token[:-1])
        assert self.said() == [("session.end_reused", "ada")]


class TestPruneExpired:
    def test_deletes_what_has_expired(self, ada: str) -> None:
        for ago in (8, 7, 1):
            with at(days=-ago):
                business.begin(ada)
        with at():
            assert [business.prune_expired(), business.prune_expired()] == [2, 0]
        assert row()["expires_at"] == NOW - timedelta(days=1) + timedelta(
            seconds=current_settings().session_idle_seconds
        )
