"""Wait for what other threads and processes do."""

import time
from collections.abc import Callable


def wait_until(
    condition: Callable[[], object], seconds: float = 10, message: Callable[[], str] = lambda: "it did not come to pass"
) -> None:
    """Wait until the condition holds, or fail with the message."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, message()
        time.sleep(0.02)
