"""Be a task that takes its time, to see a bar of progress."""

from typing import Annotated

from annotated_types import Ge, Le

from application.libs import task


def count_slowly(
    steps: Annotated[int, Ge(1), Le(1000)] = 20, pause_seconds: Annotated[float, Ge(0), Le(5)] = 0.5
) -> int:
    """Count up to a number, with a pause before each step, and return it."""
    for step in range(steps):
        task.progress(step, steps, f"Step {step + 1} of {steps}")
        task.pause(pause_seconds)
    task.progress(steps, steps, "Counted")
    return steps
