"""Do tasks in this process until told to stop: `python -m tests.task_runner`."""

import signal
import threading

from application.config.setting import AsyncMode, settings_or_exit
from application.libs.run_output import copied_prints
from application.modules.task.engine import TaskEngine
from tests.modules.task import specimen


def main() -> None:
    """Do them."""
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda _number, _frame: stopping.set())
    engine: TaskEngine = specimen.build(settings_or_exit(async_mode=AsyncMode.THREADING)).extensions["tasks"]
    engine.lease_seconds = 3
    engine.start()
    with copied_prints():
        stopping.wait()
    engine.close()
    engine.drain(1)
    engine.stop()


if __name__ == "__main__":
    main()
