"""Reads the operator's series from a Prometheus."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from functools import partial
from itertools import pairwise
from statistics import median
from typing import Any

from inference_cost.cli.prometheus import Prometheus
from inference_cost.cli.report.recorded import (
    Compared,
    Line,
    Pair,
    Policy,
    Recorded,
    Values,
    whose,
)
from inference_cost.cli.report.window import Window
from inference_cost.model import recorded as names
from inference_cost.observe.grown import Total
from inference_cost.observe.recorded_costs import (
    REACH_SECONDS,
    SECONDS_PER_HOUR,
    label_of,
    line_of,
    number_of,
)

Labels = Mapping[str, str]

LIMITED_BY = "policy_limited_by"
POOL_UNPRICED = "pool_unpriced_nodes"
MEANS = (
    "policy_desired_replicas",
    "policy_ready_replicas",
    "policy_slo_attainment_ratio",
    "policy_demand_requests_per_second",
    "policy_forecast_requests_per_second",
    "policy_replica_load_requests_per_second",
    "policy_gpu_utilization_ratio",
    "policy_price_known",
)
SCRAPES_SECONDS = 600.0  # looked at, to know how far apart they are


def read(prometheus: Prometheus, window: Window, currency: str) -> Recorded:
    """Ask for all of it.

    Raises:
        CommandError: it cannot be asked.
    """
    return _Reader(prometheus, window, currency).read()


class _Reader:
    def __init__(self, prometheus: Prometheus, window: Window, currency: str) -> None:
        self._prometheus = prometheus
        self._window = window
        self._currency = currency
        self._matchers = prometheus.settings.matchers.strip(" ,")

    def read(self) -> Recorded:
        lines, began_late, fell = self._lines()
        limited, limited_hours = self._limited()
        return Recorded(
            lines=lines,
            means={name: self._means(name) for name in MEANS},
            compared=self._compared(),
            limited=limited,
            limited_hours=limited_hours,
            unpriced_pools=self._unpriced_pools(),
            began_late=began_late,
            fell=fell,
        )

    def _chosen(self, name: str) -> str:
        return f"{names.PREFIX}{name}{{{self._matchers}}}"

    def _over(self, query: str) -> Iterable[tuple[Labels, list[float | None]]]:
        """Values at the ends of pieces."""
        window = self._window
        for series in self._prometheus.over(
            query, window.first_end, window.end, window.piece_seconds
        ):
            values: list[float | None] = [None] * window.pieces
            for at, text in series["values"]:
                piece = window.piece_of(float(at))
                if 0 <= piece < window.pieces:
                    values[piece] = number_of((at, text))
            yield series["metric"], values

    def _per_piece(self, how: str, name: str) -> Iterable[tuple[Labels, list[float | None]]]:
        return self._over(f"{how}_over_time({self._chosen(name)}[{self._window.piece_seconds:g}s])")

    def _at(self, query: str, at: float) -> Iterable[tuple[Labels, float]]:
        for entry in self._prometheus.at(query, at):
            value = number_of(entry.get("value"))
            if value is not None:
                yield entry["metric"], value

    def _lines(
        self,
    ) -> tuple[dict[Line, tuple[Decimal, ...]], tuple[str, ...], tuple[str, ...]]:
        """What each line grew by; whose totals are not there at the begin; whose fell."""
        lines: dict[Line, tuple[Decimal, ...]] = {}
        began_late: set[str] = set()
        fell: set[str] = set()
        for name in (names.POLICY_COST, names.POOL_COST):
            total = self._total(name, partial(self._line, name))
            lines |= total.grown()
            began_late |= {whose(line) for line in total.highest} - {
                whose(line) for line in total.before
            }
            fell |= set(map(whose, total.fallen()))
        return lines, tuple(sorted(began_late)), tuple(sorted(fell))

    def _total(self, name: str, key_of: Callable[[Labels], Any]) -> Total:
        """One family of totals; of all processes the highest, where its own time begins the lowest."""
        full = f"{name}_total"
        before: dict[Any, Decimal] = {}
        query = f"last_over_time({self._chosen(full)}[{REACH_SECONDS:g}s])"
        for labels, value in self._at(query, self._window.begin):
            key, number = key_of(labels), Decimal(str(value))
            if key is not None:
                before[key] = max(before.get(key, number), number)
        return Total(
            before=before,
            lowest=self._by_key("min", full, key_of, min),
            highest=self._by_key("max", full, key_of, max),
        )

    def _by_key(
        self,
        how: str,
        name: str,
        key_of: Callable[[Labels], Any],
        choose: Callable[[Decimal, Decimal], Decimal],
    ) -> dict[Any, list[Decimal | None]]:
        """By piece."""
        found: dict[Any, list[Decimal | None]] = {}
        for labels, values in self._per_piece(how, name):
            key = key_of(labels)
            if key is not None:
                merged = found.setdefault(key, [None] * self._window.pieces)
                merged[:] = (_chosen(choose, *both) for both in zip(merged, values, strict=True))
        return found

    def _line(self, name: str, labels: Labels) -> Line | None:
        """None for another currency, and for what a newer version may have written."""
        line = line_of(labels)
        if line is None or label_of(labels, "currency") != self._currency:
            return None
        return (_policy(labels) if name == names.POLICY_COST else ("", ""), line)

    def _means(self, name: str) -> dict[Policy, Values]:
        return {
            policy: tuple(values)
            for policy, values in _merged(
                (_policy(labels), values) for labels, values in self._per_piece("avg", name)
            ).items()
        }

    def _limited(
        self,
    ) -> tuple[dict[tuple[Policy, str], Values], dict[tuple[Policy, str], float]]:
        """Share of the recorded time in which something limited a policy, and how long that was."""
        whole = self._counts("policy_desired_replicas")
        by_limit = _summed(
            ((_policy(labels), label_of(labels, "limited_by")), values)
            for labels, values in self._per_piece("count", LIMITED_BY)
        )
        hours = scrape_seconds(self._prometheus, self._last_end(by_limit.values())) / 3600
        shares = {
            (policy, limit): tuple(map(_ratio, counts, whole[policy]))
            for (policy, limit), counts in by_limit.items()
            if policy in whole
        }
        return shares, {key: sum(by_limit[key]) * hours for key in shares}

    def _counts(self, name: str) -> dict[Policy, list[float]]:
        return _summed(
            (_policy(labels), values) for labels, values in self._per_piece("count", name)
        )

    def _compared(self) -> dict[Pair, Compared]:
        cost = self._total(names.COMPARED_COST, self._side).grown()
        requests = self._total(names.COMPARED_REQUESTS, _pair).grown()
        late = self._total(names.COMPARED_LATE, lambda labels: (_pair(labels), _of(labels))).grown()
        seconds = self._total(names.COMPARED_SECONDS, _pair).grown()
        nothing = (Decimal(0),) * self._window.pieces
        found = {}
        for pair in {pair for pair, _ in cost}:
            ours, theirs = (
                cost.get((pair, side), nothing) for side in (names.POLICY_SIDE, names.BASELINE_SIDE)
            )
            found[pair] = Compared(
                hours=_floats(one / SECONDS_PER_HOUR for one in seconds.get(pair, nothing)),
                ours=_floats(ours),
                theirs=_floats(theirs),
                requests=_floats(requests.get(pair, nothing)),
                ours_late=_floats(late.get((pair, names.POLICY_SIDE), nothing)),
                theirs_late=_floats(late.get((pair, names.BASELINE_SIDE), nothing)),
            )
        return found

    def _side(self, labels: Labels) -> tuple[Pair, str] | None:
        if label_of(labels, "currency") != self._currency:
            return None
        return _pair(labels), _of(labels)

    def _last_end(self, counts: Iterable[Sequence[float]]) -> float:
        """Of the newest piece that has something."""
        last = max((i for one in counts for i, count in enumerate(one) if count), default=0)
        return self._window.begin + (last + 1) * self._window.piece_seconds

    def _unpriced_pools(self) -> dict[str, float]:
        """Most nodes without a price at once, by pool."""
        query = f"max_over_time({self._chosen(POOL_UNPRICED)}[{self._window.seconds:g}s])"
        found: dict[str, float] = {}
        for labels, value in self._at(query, self._window.end):
            pool = label_of(labels, "pool")
            found[pool] = max(value, found.get(pool, 0.0))
        return {pool: nodes for pool, nodes in found.items() if nodes > 0}


def scrape_seconds(prometheus: Prometheus, at: float) -> float:
    """From one sample to the next, as seen up to `at`; 0 where nothing was.

    Raises:
        CommandError: it cannot be asked.
    """
    matchers = prometheus.settings.matchers.strip(" ,")
    query = f"{names.PREFIX}leader{{{matchers}}}[{SCRAPES_SECONDS:g}s]"
    between = [
        float(after[0]) - float(before[0])
        for series in prometheus.at(query, at)
        for before, after in pairwise(series["values"])
    ]
    return median(between) if between else 0.0


def _pair(labels: Labels) -> Pair:
    return Pair(_policy(labels), label_of(labels, "baseline"), label_of(labels, "mode"))


def _of(labels: Labels) -> str:
    return label_of(labels, "side")


def _floats(values: Iterable[Decimal]) -> tuple[float, ...]:
    return tuple(map(float, values))


def _policy(labels: Labels) -> Policy:
    return label_of(labels, "namespace"), label_of(labels, "policy")


def _chosen(
    choose: Callable[[Decimal, Decimal], Decimal], known: Decimal | None, value: float | None
) -> Decimal | None:
    if value is None:
        return known
    number = Decimal(str(value))
    return number if known is None else choose(known, number)


def _merged(series: Iterable[tuple[Any, Sequence[float | None]]]) -> dict[Any, list[float | None]]:
    """Of several processes the first that knows: only the leader exports these."""
    found: dict[Any, list[float | None]] = {}
    for key, values in series:
        known = found.setdefault(key, [None] * len(values))
        known[:] = [old if old is not None else new for old, new in zip(known, values, strict=True)]
    return found


def _summed(series: Iterable[tuple[Any, Sequence[float | None]]]) -> dict[Any, list[float]]:
    found: dict[Any, list[float]] = {}
    for key, values in series:
        known = found.setdefault(key, [0.0] * len(values))
        known[:] = [old + (new or 0.0) for old, new in zip(known, values, strict=True)]
    return found


def _ratio(part: float, whole: float) -> float | None:
    return min(1.0, part / whole) if whole else None
