"""Series of owners that come and go. What an owner no longer has is taken away: absent is not zero."""

from collections.abc import Callable, Hashable, Mapping

from prometheus_client import Gauge

MakeGauge = Callable[[str, str, tuple[str, ...]], Gauge]
Point = tuple[Gauge, tuple[str, ...]]  # and the values of its labels, in their order


class ShownSeries:
    """Remembers what each owner shows, so that a pass costs one look-up for each value."""

    def __init__(self) -> None:
        self._shown: dict[Hashable, dict[Point, Gauge]] = {}

    def show(self, owner: Hashable, values: Mapping[Point, float]) -> None:
        """These values, and no others of this owner."""
        before = self._shown.get(owner, {})
        for gauge, labels in before.keys() - values.keys():
            gauge.remove(*labels)
        shown = {point: before.get(point) or point[0].labels(*point[1]) for point in values}
        for point, value in values.items():
            shown[point].set(value)
        self._shown[owner] = shown

    def forget(self, owner: Hashable) -> None:
        self.show(owner, {})
        del self._shown[owner]

    def keep_only(self, owners: frozenset[Hashable]) -> None:
        for owner in self._shown.keys() - owners:
            self.forget(owner)
