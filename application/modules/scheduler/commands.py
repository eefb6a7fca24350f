"""Look after the scheduler from the command line."""

from collections import Counter

import click
from flask.cli import with_appcontext

from application.database import transaction
from application.modules.scheduler.business import copying

_AT_ONCE = 100


@click.group("scheduler")
def scheduler_group() -> None:
    """Look after the scheduler's jobs."""


@scheduler_group.command("copy")
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
@click.option("--move", is_flag=True, help="Take each job out of FROM once it stands in TO.")
@with_appcontext
def copy(source: str, target: str, move: bool) -> None:
    """Copy the jobs of a store to another, both as SCHEDULER_JOBSTORES names them; stopped, it may be called again."""
    if source == target:
        raise click.ClickException("Name two stores: a job stands in each once.")
    try:
        copying.check(source, target)
    except copying.NoSuchStore as error:
        raise click.ClickException(str(error)) from None
    with transaction(write=False):
        ids = copying.job_ids(source)
    outcomes: Counter[str] = Counter()
    with click.progressbar(length=len(ids), label=f"{source} -> {target}") as progress:
        for start in range(0, len(ids), _AT_ONCE):
            some = ids[start : start + _AT_ONCE]
            with transaction():
                done = copying.copy(source, target, some, is_move=move)
            outcomes.update(one.outcome for one in done)
            progress.update(len(some))
            for one in done:
                if one.outcome == "differs":
                    click.echo(f"\n{one.job_id} is another job in {target}; both stay as they are", err=True)
    _tell(source, outcomes, is_move=move)


def _tell(source: str, outcomes: Counter[str], *, is_move: bool) -> None:
    click.echo(f"{outcomes['copied']} jobs copied, {outcomes['there']} stood there already.")
    if outcomes["differs"]:
        raise click.ClickException(f"{outcomes['differs']} were left: delete one of the two and call this again.")
    if not is_move and outcomes:
        click.echo(
            f"They stand in both now, and each instant still runs once; take {source} out of SCHEDULER_JOBSTORES, "
            "or call this again with --move."
        )
