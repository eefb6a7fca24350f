"""The memory of this machine."""

import psutil

from application.libs.memory import available_mb


class TestAvailableMb:
    def test_is_a_part_of_what_the_machine_has(self) -> None:
        assert 0 < available_mb() < psutil.virtual_memory().total / 1_000_000
