"""Give a process of a pool an application of its own, built from what its parent's was built from."""

from collections.abc import Callable

from flask import Flask

from application.libs.run_output import copy_prints

_APPLICATIONS: list[Flask] = []


class Prepare:
    """Build the application of a process."""

    def __init__(self, build: Callable[[], Flask]) -> None:
        """Remember how; it travels to the process."""
        self._build = build

    def __call__(self) -> None:
        """Build it; what runs print here is theirs."""
        copy_prints()
        _APPLICATIONS.append(self._build())


def child_application() -> Flask:
    """Return the application of this process."""
    return _APPLICATIONS[0]
