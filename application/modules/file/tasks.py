"""What happens to files behind the requests."""

from application.libs.storage.store import StorageFailedError
from application.libs.task import task
from application.modules.file import business
from application.modules.task.business import enqueue

make_thumbnail = task(
    business.make_thumbnail, name="file.make_thumbnail", retries=2, retry_on=(StorageFailedError,), transaction=False
)
sweep = task(business.sweep, name="file.sweep", retries=2, retry_on=(StorageFailedError,), transaction=False)


def sweep_files() -> str:
    """Let what nobody needs be removed; return the task that does it, for a job is one unit of work and this is not."""
    return enqueue(business.sweep)
