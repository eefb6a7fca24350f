"""Draw what `benchmarks/growth.py` measured, one SVG a question; the same figures give the same bytes.

    .venv-bench/bin/python -m benchmarks.plotting [FILE] [--folder docs/growth]

It imports nothing of ours, because it runs in the virtual environment of the peers: ours is not to grow by matplotlib.
"""

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

try:
    import matplotlib as mpl
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator
except ImportError:
    sys.exit(
        "matplotlib is not there, which draws: `make bench-growth` installs it into .venv-bench and runs this there"
    )

ROOT = Path(__file__).parents[1]

STYLE = {
    "svg.hashsalt": "redprint",  # ids that do not change from run to run
    "svg.fonttype": "none",  # text stays text: small, and readable by machines
    "font.family": "sans-serif",
    "font.size": 10,
    "axes.grid": True,
    "grid.color": "#dddddd",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "figure.constrained_layout.h_pad": 0.1,
    "figure.constrained_layout.w_pad": 0.1,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
}
COLOURS = ("#b2182b", "#2166ac", "#1b7837", "#762a83", "#e08214", "#4d4d4d", "#35978f")
MARKERS = "osD^vPX"

Points = Sequence[Mapping[str, Any]]


def draw_blogs(points: Points) -> Figure:
    """Draw what each task costs by the number of blogs."""
    figure = Figure(figsize=(8, 5.2), layout="constrained")
    axes = figure.subplots()
    _lines(axes, points, "microseconds")
    _sizes(axes, points, "log")
    _decades(axes)
    axes.set(xlabel="blogs in the table", ylabel="processor's time a request, µs")
    axes.set_title("Cost of a request by the number of blogs")
    figure.legend(loc="outside lower center", ncols=2)
    return figure


def draw_connections(points: Points) -> Figure:
    """Draw requests a second and the 99th percentile by the number of connections."""
    figure = Figure(figsize=(9, 4.6), layout="constrained")
    speeds, waits = figure.subplots(1, 2)
    _lines(speeds, points, "per_second")
    _lines(waits, points, "p99", named=False)
    for axes in (speeds, waits):
        _sizes(axes, points, "log")
        axes.set_xlabel("connections")
    _from_zero(speeds)
    _decades(waits)
    speeds.set(ylabel="requests a second", title="Requests a second by connections")
    waits.set(ylabel="99th percentile of the latency, ms", title="Latency (p99) by connections")
    figure.legend(loc="outside lower center", ncols=2)
    return figure


def draw_workers(points: Points) -> Figure:
    """Draw requests a second by the number of workers."""
    figure = Figure(figsize=(6.4, 4.8), layout="constrained")
    axes = figure.subplots()
    _lines(axes, points, "per_second")
    _sizes(axes, points, "linear")
    _from_zero(axes)
    axes.set(xlabel="workers", ylabel="requests a second", title="Requests a second by workers")
    figure.legend(loc="outside lower center", ncols=2)
    return figure


def draw_routes(points: Points) -> Figure:
    """Draw what GET one costs, and building the application, by the number of routes more."""
    figure = Figure(figsize=(9, 4), layout="constrained")
    costs, builds = figure.subplots(1, 2)
    _lines(costs, points, "microseconds")
    _lines(builds, points, "seconds")
    for axes in (costs, builds):
        _sizes(axes, points, "linear")
        _from_zero(axes)
        axes.set_xlabel("routes registered beside ours")
    costs.set(ylabel="processor's time of GET one, µs", title="Cost of a request by routes")
    builds.set(ylabel="processor's time of building, s", title="Building the application by routes")
    return figure


DRAWN: Mapping[str, Callable[[Points], Figure]] = {
    "blogs": draw_blogs,
    "connections": draw_connections,
    "workers": draw_workers,
    "routes": draw_routes,
}


def _lines(axes: Any, points: Points, key: str, *, named: bool = True) -> None:
    """Draw a line a series."""
    for index, series in enumerate(dict.fromkeys(point["series"] for point in points)):
        mine = sorted((point["at"], point["values"][key]) for point in points if point["series"] == series)
        axes.plot(
            [at for at, _value in mine],
            [value for _at, value in mine],
            color=COLOURS[index % len(COLOURS)],
            marker=MARKERS[index % len(MARKERS)],
            label=series if named else None,
        )


def _sizes(axes: Any, points: Points, scale: str) -> None:
    """Put a tick at each size that was measured, and nowhere else; where there is no room, the smaller one has it."""
    axes.set_xscale(scale)
    ticks: list[int] = []
    for at in sorted({point["at"] for point in points}):
        if scale == "log" or not ticks or at - ticks[-1] > max(point["at"] for point in points) / 15:
            ticks.append(at)
    axes.set_xticks(ticks)
    axes.xaxis.set_major_formatter(FuncFormatter(_plain))
    axes.xaxis.set_minor_locator(NullLocator())


def _from_zero(axes: Any) -> None:
    """Let the figures begin at nothing, with room above the largest."""
    axes.set_ylim(0, 1.1 * max(max(line.get_ydata()) for line in axes.lines))
    axes.yaxis.set_major_formatter(FuncFormatter(_plain))


def _decades(axes: Any) -> None:
    """Let equal steps be equal ratios, for what is small and what is large."""
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(_plain))


def _plain(value: float, _position: object) -> str:
    return f"{value:,.6g}" if value < 1_000 else f"{value:,.0f}"


def draw(figures: Mapping[str, Any], folder: Path) -> list[Path]:
    """Write an SVG for each question that has figures; return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    with mpl.rc_context(STYLE):
        for question, make in DRAWN.items():
            if figures.get(question):
                path = folder / f"{question}.svg"
                make(figures[question]).savefig(path, format="svg", metadata={"Date": None, "Creator": None})
                written.append(path)
    return written


def main() -> None:
    """Read which file to draw, and where to."""
    parser = argparse.ArgumentParser(description="Draw how the API grows.")
    parser.add_argument("file", type=Path, nargs="?", default=ROOT / "dist/growth.json")
    parser.add_argument("--folder", type=Path, default=ROOT / "docs/growth", help="where the SVGs are written")
    asked = parser.parse_args()
    if not asked.file.exists():
        parser.error(f"{asked.file} is not there: `make bench-growth` measures and writes it")
    for path in draw(json.loads(asked.file.read_text(encoding="utf-8")), asked.folder):
        print(path)


if __name__ == "__main__":
    main()
