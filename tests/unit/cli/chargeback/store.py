"""What a Prometheus remembers of the totals: daily samples, and the three functions that are asked of it."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from inference_cost.account.chargeback import By, rows_of
from inference_cost.model.reading import Missing
from inference_cost.observe.prometheus_client import Answer
from inference_cost.observe.recorded_spending import Spending, read_spending
from inference_cost.observe.settings import PrometheusSettings

FIRST = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
DAY = 86_400.0
SETTINGS = PrometheusSettings(url="http://prometheus")
QUERY = re.compile(r"(last|min|max)_over_time\((\w+)\{\}\[(\d+)s\]\)")
CHOOSE = {"last": lambda v: v[-1], "min": min, "max": max}


@dataclass(slots=True)
class Store:
    """Daily samples, and the three functions that are asked of it."""

    series: list[tuple[dict[str, str], list[tuple[float, float]]]] = field(default_factory=list)
    partial: bool = False

    def record(self, first_day: int, *values: float, instance: str = "a", **labels: str) -> None:
        pool = "policy" not in labels
        shown = {
            "__name__": f"inference_cost_{'pool' if pool else 'policy'}_cost_total",
            "instance": instance,
            "pool": "l4",
            "capacity_type": "on-demand",
            "line": "idle" if pool else "serving",
            "currency": "USD",
            **labels,
        }
        samples = [(FIRST + (first_day + i) * DAY, value) for i, value in enumerate(values)]
        self.series.append((shown, samples))

    def live(self, first_day: int, last_day: int, uid: str = "u", policy: str = "resnet") -> None:
        """Up to when the totals count, day by day."""
        labels = {"namespace": "team-a", "policy": policy, "uid": uid, "instance": "a"}
        self._add("policy_cost_counted_time_seconds", labels, first_day, last_day)

    def _add(self, name: str, labels: dict[str, str], first_day: int, last_day: int) -> None:
        times = [FIRST + day * DAY for day in range(first_day, last_day + 1)]
        shown = {"__name__": f"inference_cost_{name}", **labels}
        self.series.append((shown, [(time, time - 10) for time in times]))

    def charged(self, first_day: int, *hours: float) -> None:
        """Time of the replicas of resnet."""
        labels = {**RESNET, "pool": "l4", "capacity_type": "on-demand", "line": "serving"}
        shown = {"__name__": "inference_cost_policy_charged_seconds_total", **labels}
        samples = [(FIRST + (first_day + i) * DAY, one * 3600) for i, one in enumerate(hours)]
        self.series.append((shown, samples))

    def unknown(self, reason: str, first_day: int, *hours: float) -> None:
        samples = [(FIRST + (first_day + i) * DAY, one * 3600) for i, one in enumerate(hours)]
        labels = {"namespace": "team-a", "policy": "resnet", "reason": reason, "instance": "a"}
        shown = {"__name__": "inference_cost_policy_cost_unknown_seconds_total", **labels}
        self.series.append((shown, samples))

    async def query(self, promql: str, *, at: float | None) -> Answer | Missing:
        asked = QUERY.fullmatch(promql)
        assert asked is not None, promql
        assert at is not None
        how, name, seconds = asked.groups()
        result: list[dict[str, Any]] = []
        for labels, samples in self.series:
            inside = [v for t, v in samples if at - float(seconds) < t <= at]
            if labels["__name__"] == name and inside:
                result.append({"metric": labels, "value": [at, str(CHOOSE[how](inside))]})
        return Answer(result=result, partial=self.partial)


RESNET = {"namespace": "team-a", "policy": "resnet", "cost_center": "search", "variant": "default"}


async def spending(store: Store, first_day: int, last_day: int) -> Spending:
    found = await read_spending(
        store,
        SETTINGS,
        begin=FIRST + first_day * DAY,
        end=FIRST + last_day * DAY,
        currency="USD",
    )
    assert isinstance(found, Spending)
    return found


def amounts(found: Spending) -> list[tuple[str, Decimal]]:
    return [(row.name, row.total) for row in rows_of(found.spent, By.POLICY)]
