"""Write how a figure grows: beside each its ratio to that of the smallest, of the same run."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.table import ABSENT, markdown

Say = Callable[[str], None]
"""Tell how far the run is."""


@dataclass(frozen=True)
class Figure:
    """Hold what was measured of one series at one size."""

    series: str
    at: int
    values: Mapping[str, float]


@dataclass(frozen=True)
class Column:
    """Say how a value is headed and written, and whether its ratio is told."""

    key: str
    title: str
    form: str = ",.0f"
    has_ratio: bool = True


def wide(figures: Sequence[Figure], column: Column, corner: str, unit: str) -> str:
    """Write a line a series and a column a size: the value, and in brackets how many times that of the smallest."""
    sizes = sorted({figure.at for figure in figures})
    rows = [[series, *(_told(mine, size, column) for size in sizes)] for series, mine in _by_series(figures).items()]
    return markdown((corner, *(f"{size:,} {unit}" for size in sizes)), rows)


def long(figures: Sequence[Figure], columns: Sequence[Column], corner: str, unit: str) -> str:
    """Write a line for each series and size, and a column a value with its ratio in brackets."""
    rows = [
        [series, f"{size:,}", *(_told(mine, size, column) for column in columns)]
        for series, mine in _by_series(figures).items()
        for size in mine
    ]
    return markdown((corner, unit, *(column.title for column in columns)), rows)


def _by_series(figures: Sequence[Figure]) -> dict[str, dict[int, Figure]]:
    found: dict[str, dict[int, Figure]] = {}
    for figure in sorted(figures, key=lambda figure: figure.at):
        found.setdefault(figure.series, {})[figure.at] = figure
    order = list(dict.fromkeys(figure.series for figure in figures))
    return {series: found[series] for series in order}


def _told(mine: Mapping[int, Figure], size: int, column: Column) -> str:
    if size not in mine:
        return ABSENT
    value, smallest = mine[size].values[column.key], mine[min(mine)].values[column.key]
    text = format(value, column.form)
    return f"{text} ({value / smallest:.2f})" if column.has_ratio and smallest else text
