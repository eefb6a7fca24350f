"""Where time comes in, as HTTP does through `endpoints`: elect, claim, run, and write down what became of it."""

from application.modules.scheduler.engine.binding import init_app
from application.modules.scheduler.engine.engine import TTL_SECONDS, Engine

__all__ = ["TTL_SECONDS", "Engine", "init_app"]
