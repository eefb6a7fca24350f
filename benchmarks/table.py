"""Write what was measured as tables of Markdown."""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

ABSENT = "–"


@dataclass(frozen=True)
class Figure:
    """Hold how one round of one contestant's cell went."""

    contestant: str
    cell: str
    round: int
    per_second: float
    cpu_microseconds: float
    p50_milliseconds: float
    p99_milliseconds: float


@dataclass(frozen=True)
class Start:
    """Hold how one start of a contestant went, and what a worker then had."""

    contestant: str
    round: int
    seconds: float
    megabytes: float


def markdown(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a table; all columns but the first are figures."""
    rule = ["---", *["---:"] * (len(header) - 1)]
    return "\n".join(f"| {' | '.join(line)} |" for line in (header, rule, *rows))


def of_cell(figures: Sequence[Figure], names: Sequence[str], ours: str) -> str:
    """Write how each did in one cell, and how many times as many requests ours answers: best to best, and medians."""
    header = (
        "",
        "req/s, best",
        "median",
        "ours to it, best/best",
        "medians",
        "CPU, µs",
        "times ours",
        "p50, ms",
        "p99, ms",
    )
    by_name = {name: [figure for figure in figures if figure.contestant == name] for name in names}
    return markdown(header, [_row(name, mine, by_name.get(ours, [])) for name, mine in by_name.items()])


def _row(name: str, mine: Sequence[Figure], ours: Sequence[Figure]) -> list[str]:
    if not mine:
        return [name, *[ABSENT] * 8]
    speeds, costs = [figure.per_second for figure in mine], [figure.cpu_microseconds for figure in mine]
    own, own_costs = [figure.per_second for figure in ours], [figure.cpu_microseconds for figure in ours]
    cost = statistics.median(costs)
    return [
        name,
        f"{max(speeds):,.0f}",
        f"{statistics.median(speeds):,.0f}",
        f"{max(own) / max(speeds):.2f}" if own else ABSENT,
        f"{statistics.median(own) / statistics.median(speeds):.2f}" if own else ABSENT,
        f"{cost:,.0f}",
        f"{cost / statistics.median(own_costs):.2f}" if own and statistics.median(own_costs) else ABSENT,
        f"{statistics.median(figure.p50_milliseconds for figure in mine):.1f}",
        f"{statistics.median(figure.p99_milliseconds for figure in mine):.1f}",
    ]


def of_starts(starts: Sequence[Start], servers: Mapping[str, str]) -> str:
    """Write how each is served, how soon it answers after a start, and how much memory its larger worker then has."""
    rows = []
    for name, server in servers.items():
        mine = [start for start in starts if start.contestant == name]
        seconds = f"{statistics.median(start.seconds for start in mine):.2f}" if mine else ABSENT
        megabytes = f"{statistics.median(start.megabytes for start in mine):.0f}" if mine else ABSENT
        rows.append([name, server, seconds, megabytes])
    return markdown(("", "server, 2 processes", "first answer, s", "a worker, MB"), rows)
