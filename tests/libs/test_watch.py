"""Counters that stand still."""

from application.libs.watch import Watch
from tests.modules.scheduler.conftest import Clock


class TestWatch:
    def test_calls_silent_what_has_not_moved_for_the_time_to_live(self) -> None:
        clock = Clock()
        watch = Watch(3, clock)
        for beat, (seconds, expected) in enumerate(((0, {}), (2.5, {}), (0.5, {"still": 3.0}), (1, {"still": 4.0}))):
            clock.seconds += seconds
            assert watch.silent({"still": 7, "moving": beat}, ours=()) == expected

    def test_begins_anew_when_a_beat_moves_back(self) -> None:
        clock = Clock()
        watch = Watch(3, clock)
        for beat in (5, 1):
            assert watch.silent({"restored": beat}, ours=()) == {}
            clock.seconds += 2

    def test_never_calls_silent_what_is_in_hand_here(self) -> None:
        clock = Clock()
        watch = Watch(3, clock)
        for _look in range(3):
            clock.seconds += 3
            assert watch.silent({"ours": 0}, ours={"ours"}) == {}

    def test_knows_nothing_after_it_was_cleared(self) -> None:
        clock = Clock()
        watch = Watch(3, clock)
        watch.silent({"still": 0}, ours=())
        clock.seconds += 3
        watch.clear()
        assert watch.silent({"still": 0}, ours=()) == {}

    def test_forgets_what_goes_on_no_more(self) -> None:
        clock = Clock()
        watch = Watch(3, clock)
        watch.silent({"one": 0}, ours=())
        watch.silent({}, ours=())
        clock.seconds += 3
        assert watch.silent({"one": 0}, ours=()) == {}
