"""Second factors: how one is set up, asked for and turned off."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from flask import Flask

from application.database import execute, transaction
from application.modules.factor import business
from application.modules.factor.models import Factor, RecoveryCode
from application.modules.role import business as role_business
from application.modules.session import business as sessions
from application.modules.session.models import Session
from application.modules.throttle.business import Throttled
from application.modules.user import business as user_business
from application.permissions import Permission, Role
from tests.modules.factor.conftest import HASH, HOME, Enrol, Phone
from tests.moments import at
from tests.parallel import at_once
from tests.tables import count_rows


@pytest.fixture
def ada(app: Flask) -> str:
    """Create a user without a second factor."""
    with app.app_context(), transaction():
        return user_business.create(name="ada", password_hash=HASH).id


@pytest.fixture
def context(app: Flask) -> Iterator[None]:
    """Let it be `NOW`, in the application."""
    with app.app_context(), at():
        yield


def passes(phone: Phone, code: str) -> bool:
    with transaction():
        return business.passes(phone.user_id, code, address=HOME)


def state(user_id: str) -> business.StateRow:
    with transaction(write=False):
        return business.get(user_id)


@pytest.mark.usefixtures("context")
class TestPasses:
    def test_takes_a_code_once(self, eve: Phone) -> None:
        code = eve.code()
        assert [passes(eve, code) for _time in range(2)] == [True, False]

    @pytest.mark.parametrize(("steps", "counts"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
    def test_lets_a_clock_be_one_step_early_or_late(self, eve: Phone, steps: int, counts: bool) -> None:
        assert passes(eve, eve.code(steps=steps)) is counts

    def test_takes_no_code_from_before_the_last_one(self, eve: Phone) -> None:
        assert passes(eve, eve.code(steps=1))
        assert not passes(eve, eve.code())
        with at(seconds=30):
            assert not passes(eve, eve.code())
        with at(seconds=60):
            assert passes(eve, eve.code())

    def test_lets_one_of_many_at_once_win(self, app: Flask, eve: Phone) -> None:
        code = eve.code()

        def show() -> object:
            with app.app_context():
                try:
                    return passes(eve, code)
                except Throttled:
                    return "throttled"

        answers = at_once([show] * 12)
        assert answers.count(True) == 1
        assert set(answers) <= {True, False, "throttled"}

    def test_takes_a_recovery_code_once_however_it_is_typed(self, eve: Phone) -> None:
        first, second, *_others = eve.recovery_codes
        assert [passes(eve, typed) for typed in (first.upper().replace("-", " "), first, second)] == [True, False, True]
        assert state(eve.user_id).recovery_codes_left == 8

    def test_lets_one_of_many_win_with_a_recovery_code(self, app: Flask, eve: Phone) -> None:
        def show() -> bool:
            with app.app_context():
                return passes(eve, eve.recovery_codes[0])

        assert at_once([show] * 8).count(True) == 1

    def test_takes_nothing_of_somebody_else(self, enrol: Enrol, eve: Phone) -> None:
        bob = enrol("bob")
        assert not passes(bob, eve.code())
        assert not passes(bob, eve.recovery_codes[0])

    def test_takes_nothing_of_who_has_none(self, eve: Phone, ada: str) -> None:
        for code in (eve.code(), eve.recovery_codes[0], ""):
            assert not passes(Phone(ada, "ada", eve.secret, []), code)

    def test_is_refused_at_the_sixth_wrong_code_even_with_the_right_one(self, eve: Phone) -> None:
        assert [passes(eve, eve.wrong()) for _time in range(5)] == [False] * 5
        with pytest.raises(Throttled) as refused:
            passes(eve, eve.code())
        assert 295 <= int(refused.value.headers["Retry-After"]) <= 300
        with at(seconds=301):
            assert passes(eve, eve.code())

    def test_looks_at_thirty_wrong_codes_a_day(self, eve: Phone) -> None:
        for round_ in range(6):
            with at(seconds=301 * round_):
                assert [passes(eve, eve.wrong()) for _time in range(5)] == [False] * 5
        with at(hours=1), pytest.raises(Throttled) as refused:
            passes(eve, eve.code())
        assert int(refused.value.headers["Retry-After"]) > 80_000
        with at(hours=2):
            assert passes(eve, eve.recovery_codes[0])  # which frees its owner from whoever guesses
            assert passes(eve, eve.code())

    def test_counts_the_wrong_codes_of_a_day_beside_right_ones(self, eve: Phone) -> None:
        for round_ in range(6):
            with at(seconds=301 * round_):
                assert not any(passes(eve, eve.wrong()) for _time in range(4))
                assert passes(eve, eve.code())
        with at(hours=1):
            assert not any(passes(eve, eve.wrong()) for _time in range(5))
        with at(hours=2):
            assert not passes(eve, eve.wrong())
            with pytest.raises(Throttled):
                passes(eve, eve.code())

    def test_counts_wrong_recovery_codes_by_address_only(self, eve: Phone) -> None:
        assert not any(passes(eve, "4k7w-0xqd-93mt-hz8c") for _time in range(30))
        with pytest.raises(Throttled):
            passes(eve, eve.recovery_codes[0])
        with transaction():
            assert business.passes(eve.user_id, eve.code(), address="198.51.100.1")

    def test_leaves_no_count_of_the_user_behind(self, app: Flask, eve: Phone) -> None:
        passes(eve, eve.wrong())
        passes(eve, eve.code())
        assert count_rows(app, "throttle", scope="factor-account") == 0

    def test_goes_on_with_recovery_codes_under_another_key(
        self, eve: Phone, app: Flask, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(business, "_key", lambda: "another key, also of 32 characters")
        assert not passes(eve, eve.code())
        assert passes(eve, eve.recovery_codes[0])


@pytest.mark.usefixtures("context")
class TestOffer:
    def test_turns_nothing_on(self, ada: str) -> None:
        with transaction():
            offer = business.offer(ada, code=None, address=HOME)
        assert offer.uri == f"otpauth://totp/Redprint:ada?secret={offer.secret}&issuer=Redprint"
        assert not state(ada).is_on
        assert not passes(Phone(ada, "ada", offer.secret, []), Phone(ada, "ada", offer.secret, []).code())

    def test_stores_no_secret_that_the_database_gives_away(self, app: Flask, eve: Phone) -> None:
        with transaction(write=False):
            rows = [str(row) for table in (Factor, RecoveryCode) for row in execute(sa.select(table.__table__))]
        assert len(rows) == 11
        kept = "\n".join(rows)
        for secret in (eve.secret, *eve.recovery_codes):
            assert secret not in kept

    def test_takes_the_place_of_the_other_once_it_is_confirmed(self, eve: Phone) -> None:
        with transaction():
            new = Phone(eve.user_id, "eve", business.offer(eve.user_id, code=eve.code(), address=HOME).secret, [])
        with at(minutes=1):
            assert not passes(new, new.code())
            assert passes(eve, eve.code())
        with at(minutes=2), transaction():
            business.confirm(eve.user_id, new.code(), session_id=None, address=HOME)
        with at(minutes=3):
            assert not passes(eve, eve.code())
            assert passes(new, new.code())

    @pytest.mark.parametrize("code", [None, "", "000000x"])
    def test_takes_a_code_where_one_is_on(self, eve: Phone, code: str | None) -> None:
        with pytest.raises(business.WrongCurrentCode), transaction():
            business.offer(eve.user_id, code=code, address=HOME)


@pytest.mark.usefixtures("context")
class TestConfirm:
    def test_gives_recovery_codes_and_ends_all_other_sessions(self, ada: str) -> None:
        with transaction():
            for _time in range(3):
                sessions.begin(ada)
            here, *_others = execute(sa.select(Session.id)).scalars().all()
            secret = business.offer(ada, code=None, address=HOME).secret
        phone = Phone(ada, "ada", secret, [])
        with transaction():
            given = business.confirm(ada, phone.code(), session_id=here, address=HOME)
            rows = execute(sa.select(Session.id, Session.second_factor_at)).all()
        assert [row.id for row in rows] == [here]
        assert rows[0].second_factor_at is not None
        assert len(set(given.recovery_codes)) == 10
        assert state(ada).is_on
        assert not passes(phone, phone.code())  # that was used

    def test_takes_no_wrong_code(self, ada: str) -> None:
        with transaction():
            phone = Phone(ada, "ada", business.offer(ada, code=None, address=HOME).secret, [])
        for code in (phone.wrong(), "x", ""):
            with pytest.raises(business.WrongCurrentCode), transaction():
                business.confirm(ada, code, session_id=None, address=HOME)
        assert not state(ada).is_on
        with transaction():
            business.confirm(ada, phone.code(), session_id=None, address=HOME)

    def test_is_refused_at_the_sixth_wrong_code(self, ada: str) -> None:
        with transaction():
            phone = Phone(ada, "ada", business.offer(ada, code=None, address=HOME).secret, [])
        for _time in range(5):
            with pytest.raises(business.WrongCurrentCode), transaction():
                business.confirm(ada, phone.wrong(), session_id=None, address=HOME)
        with pytest.raises(Throttled), transaction():
            business.confirm(ada, phone.code(), session_id=None, address=HOME)

    def test_ends_after_a_quarter_of_an_hour(self, ada: str) -> None:
        with transaction():
            phone = Phone(ada, "ada", business.offer(ada, code=None, address=HOME).secret, [])
        with at(minutes=15), pytest.raises(business.NothingOffered), transaction():
            business.confirm(ada, phone.code(), session_id=None, address=HOME)

    def test_wants_a_secret_that_was_offered(self, ada: str, eve: Phone) -> None:
        for user_id in (ada, eve.user_id):
            with pytest.raises(business.NothingOffered), transaction():
                business.confirm(user_id, "123456", session_id=None, address=HOME)


@pytest.mark.usefixtures("context")
class TestRenewCodes:
    def test_lets_the_old_ones_count_no_longer(self, eve: Phone) -> None:
        with transaction():
            given = business.renew_codes(eve.user_id, eve.recovery_codes[0], address=HOME)
        assert len(given.recovery_codes) == 10
        assert not passes(eve, eve.recovery_codes[1])
        assert passes(eve, given.recovery_codes[0])

    def test_wants_a_factor_and_its_code(self, ada: str, eve: Phone) -> None:
        with pytest.raises(business.FactorOff), transaction():
            business.renew_codes(ada, "123456", address=HOME)
        with pytest.raises(business.WrongCurrentCode), transaction():
            business.renew_codes(eve.user_id, eve.wrong(), address=HOME)


@pytest.mark.usefixtures("context")
class TestTurnOff:
    def test_leaves_nothing_behind(self, app: Flask, eve: Phone) -> None:
        with transaction():
            sessions.begin(eve.user_id, is_strong=True)
        with transaction():
            business.turn_off(eve.user_id, eve.code(), address=HOME)
        assert state(eve.user_id) == business.StateRow(False, False, None, 0)
        with transaction(write=False):
            assert execute(sa.select(Session.second_factor_at)).scalars().all() == [None]
        with pytest.raises(business.FactorOff), transaction():
            business.turn_off(eve.user_id, eve.code(), address=HOME)


@pytest.mark.usefixtures("context")
class TestReset:
    def test_takes_it_away_and_ends_the_sessions(self, eve: Phone, ada: str) -> None:
        with transaction():
            sessions.begin(eve.user_id)
            sessions.begin(ada)
        with transaction():
            business.reset(eve.user_id, actor_id=ada, held=frozenset(Permission))
        assert not state(eve.user_id).is_on
        with transaction(write=False):
            assert execute(sa.select(Session.user_id)).scalars().all() == [ada]

    def test_is_for_who_holds_as_much(self, enrol: Enrol, ada: str) -> None:
        root = enrol("root", Role.ADMIN)
        held = frozenset(Permission) - {Permission.TASK_MANAGE}
        with pytest.raises(role_business.PermissionNotHeld), transaction():
            business.reset(root.user_id, actor_id=ada, held=held)
        assert state(root.user_id).is_on

    def test_is_for_others(self, eve: Phone) -> None:
        with pytest.raises(business.OwnFactor), transaction():
            business.reset(eve.user_id, actor_id=eve.user_id, held=frozenset(Permission))

    def test_wants_a_user_with_one(self, ada: str, eve: Phone) -> None:
        with pytest.raises(business.FactorOff), transaction():
            business.reset(ada, actor_id=eve.user_id, held=frozenset(Permission))
        with pytest.raises(user_business.UserNotFound), transaction():
            business.reset("01981f3e-7c5a-7b1e-9c55-0d7f5b1f2a10", actor_id=eve.user_id, held=frozenset(Permission))


class TestSetUp:
    def test_goes_with_the_user(self, app: Flask, eve: Phone) -> None:
        with app.app_context(), transaction():
            user_business.delete(eve.user_id)
        assert count_rows(app, "factor") == count_rows(app, "recovery_code") == 0
