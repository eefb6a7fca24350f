"""Reading the machine's memory."""

import psutil

from application.modules.monitor import business


class TestReadMemory:
    def test_gives_what_the_machine_has(self) -> None:
        memory = business.read_memory()
        assert memory["total"] == psutil.virtual_memory().total
        assert 0 < memory["available"] <= memory["total"]
        assert 0 < memory["percent"] < 100
        assert {"used", "free"} <= memory.keys()
