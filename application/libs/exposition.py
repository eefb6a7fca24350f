"""Write figures in Prometheus' text format, as they are at the moment they are asked for."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Literal

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from application.libs.record import Record

CONTENT_TYPE: str = CONTENT_TYPE_PLAIN_0_0_4


class Family(Record):
    """Hold the values of one figure by the values of its label; a figure without a label has one value, under ""."""

    kind: Literal["counter", "gauge"]
    name: str
    help: str
    values: Mapping[str, float]
    label: str | None = None


class Distribution(Record):
    """Hold how many values lie between the bounds, each bucket without those below it, and beyond the last one."""

    name: str
    help: str
    bounds: Sequence[float]
    counts: Sequence[int]
    sum: float


class _Answer(Collector):
    def __init__(self, figures: Sequence[Family | Distribution]) -> None:
        self._figures = figures

    def collect(self) -> Iterator[Metric]:
        for figure in self._figures:
            yield _histogram(figure) if isinstance(figure, Distribution) else _family(figure)


def text(figures: Sequence[Family | Distribution]) -> bytes:
    """Return the figures in the text format 0.0.4; each answer has a registry of its own, so nothing is kept."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Answer(figures))
    written: bytes = generate_latest(registry)
    return written


def _family(figure: Family) -> Metric:
    labels = () if figure.label is None else (figure.label,)
    make = CounterMetricFamily if figure.kind == "counter" else GaugeMetricFamily
    family = make(figure.name, figure.help, labels=labels)
    for value, number in figure.values.items():
        family.add_metric([value] if labels else [], number)
    return family


def _histogram(figure: Distribution) -> Metric:
    limits = [*map(str, figure.bounds), "+Inf"]
    buckets = list(zip(limits, map(float, accumulate(figure.counts)), strict=True))
    return HistogramMetricFamily(figure.name, figure.help, buckets=buckets, sum_value=figure.sum)
