"""Counters that go on where an earlier leader's ended: their values come from the accounts."""

from collections.abc import Callable, Iterator

from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector, CollectorRegistry

Labels = tuple[str, ...]


class Totals(Collector):
    """One counter with labels. `show` sets its series; none falls but by going."""

    def __init__(
        self, name: str, text: str, labels: Labels, *, registry: CollectorRegistry
    ) -> None:
        self._name = name
        self._text = text
        self._labels = labels
        self._values: dict[Labels, float] = {}
        registry.register(self)

    def show(self, labels: Labels, value: float) -> None:
        self._values[labels] = value

    def keep(self, wanted: Callable[[Labels], bool]) -> None:
        """Others go."""
        self._values = {labels: v for labels, v in self._values.items() if wanted(labels)}

    def describe(self) -> Iterator[CounterMetricFamily]:
        yield CounterMetricFamily(self._name, self._text, labels=self._labels)

    def collect(self) -> Iterator[CounterMetricFamily]:
        """In the thread of a scrape, while `show` may add series."""
        family = CounterMetricFamily(self._name, self._text, labels=self._labels)
        for labels, value in tuple(self._values.items()):
            family.add_metric(labels, value)
        yield family
