"""Call the function of a run with all that a run has: typed arguments, what it may ask and write to, a transaction."""

from collections.abc import Callable
from functools import partial

from application.database import transaction
from application.libs.arguments import InvalidArguments
from application.libs.catalogue import Catalogue, NotRegistered
from application.libs.run_context import RunContext, Stop, current_run, current_stop
from application.libs.run_output import Output, current_output
from application.libs.trigger import from_micros
from application.modules.scheduler.business.attempt import Launch
from application.modules.scheduler.business.definition import Definition, Unreadable, arguments_of


def restored(definition: Definition, functions: Catalogue) -> Callable[[], object]:
    """Return how a job's function is called; raise `Unreadable` where it or its arguments are not what they were."""
    try:
        entry = functions.get(definition.func)
        args, kwargs = entry.convert(*arguments_of(definition))
    except (NotRegistered, InvalidArguments) as error:
        raise Unreadable(str(error)) from None
    return partial(entry.function, *args, **kwargs)


def called(
    launch: Launch,
    call: Callable[[], object],
    *,
    stop: Stop,
    output: Output,
    finish: Callable[[object], object] | None = None,
) -> object:
    """Call a function as a run, in an application's context; return what it returns.

    Raises what it raises once its transaction is rolled back. Where it has used the database, `finish` is
    called with the result at the end of that transaction.
    """
    run = current_run.set(
        RunContext(
            run_id=launch.run_id,
            job_id=launch.job_id,
            scheduled_at=from_micros(launch.scheduled_at),
            token=launch.token,
            attempt=launch.number,
            stop=stop,
        )
    )
    asked, written = current_stop.set(stop), current_output.set(output)
    try:
        with transaction() as unit:
            result = call()
            if finish is not None and unit.is_open:
                finish(result)
            return result
    finally:
        current_output.reset(written)
        current_stop.reset(asked)
        current_run.reset(run)
