"""Run attempts in a process of the pool: it has an application of its own, and writes down what they print."""

from application.database import transaction
from application.libs import memory
from application.libs.child_application import child_application
from application.libs.outcome_text import Fault, fault_of, result_of
from application.libs.record import Record
from application.libs.run_context import Cancelled, Stop
from application.libs.run_output import Output
from application.libs.scheduling import Ticker
from application.modules.scheduler.business import attempt
from application.modules.scheduler.business.attempt import Launch
from application.modules.scheduler.business.calling import called, restored
from application.modules.scheduler.business.definition import decode
from application.modules.scheduler.business.ending import Memory
from application.modules.scheduler.business.output_keeper import kept


class Done(Record):
    """Hold how a call ended in the other process, as text."""

    result: str | None
    fault: Fault | None
    memory: Memory


def run(launch: Launch) -> Done:
    """Run an attempt to its end."""
    app, written = child_application(), Output()
    memory.reset_peak()
    before = memory.used_bytes()
    result, fault = None, None
    with app.app_context(), kept(launch.attempt_id, written):
        try:
            with transaction(write=False):
                if not attempt.goes_on(launch.attempt_id):  # cancelled while this process started
                    raise Cancelled
            ticker: Ticker = app.extensions["scheduler"]
            call = restored(decode(launch.definition), ticker.setup.functions)
            result = result_of(called(launch, call, stop=Stop(), output=written))
        except BaseException as error:
            fault = fault_of(error)
    peak = max(before, memory.peak_bytes())
    return Done(result=result, fault=fault, memory=Memory(start=before, peak=peak, shared=False))
