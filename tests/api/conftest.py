"""Lend the scheduler's fixtures to the tests of its surface."""

from tests.modules.scheduler.conftest import ledger, stored

__all__ = ["ledger", "stored"]
