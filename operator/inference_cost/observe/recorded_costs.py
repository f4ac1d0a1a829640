"""What an earlier leader exported of its accounts, as the metrics store remembers it.

One query, at a take-over. Each target that was scraped is a process of its own: its totals belong to its own time. The
newest one counts.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from inference_cost.account.accrual import CostLine
from inference_cost.account.hand_over import Recorded, RecordedCosts, Teller
from inference_cost.account.ledger.lines import Kind
from inference_cost.account.month import NOTHING_UNKNOWN, Unknown
from inference_cost.account.savings.savings import Kept
from inference_cost.model import recorded as names
from inference_cost.model.policy import Baseline, Mode, PolicyKey
from inference_cost.model.reading import Missing, MissingReason
from inference_cost.model.workload import CapacityType
from inference_cost.observe.prometheus_client import MetricsReader
from inference_cost.observe.settings import PrometheusSettings

SECONDS_PER_HOUR = 3600
REACH_SECONDS = 7200  # back; checkpoints are never much older than an hour
_OURS = frozenset(
    (
        *names.POLICY_LABELS,
        *names.LINE_LABELS,
        *names.COMPARED_LABELS,
        names.UID,
        names.SIDE,
        names.REASON,
        "__name__",
    )
)
_COMPARED = tuple(
    f"{name}_total"
    for name in (
        names.COMPARED_COST,
        names.COMPARED_REQUESTS,
        names.COMPARED_LATE,
        names.COMPARED_SECONDS,
    )
)
_CHARGED = (f"{names.POLICY_CHARGED}_total", f"{names.POOL_CHARGED}_total")
_UNKNOWN = (f"{names.POLICY_UNKNOWN}_total", f"{names.POOL_UNKNOWN}_total")
_FAMILIES = (
    f"{names.POLICY_COST}_total",
    f"{names.POOL_COST}_total",
    names.POLICY_COUNTED,
    names.POOL_COUNTED,
    names.MONTH_TO_DATE,
    *_CHARGED,
    *_UNKNOWN,
    *_COMPARED,
)
_EXPORTED = "exported_"  # put before a label of ours where the target has one of that name

Labels = Mapping[str, str]


@dataclass(slots=True)
class _Told:
    """Of one policy or pool by one target."""

    uid: str = ""
    counted_at: float = math.nan
    month_to_date: Decimal | None = None
    totals: dict[CostLine, Decimal] = field(default_factory=dict)
    hours: dict[CostLine, Decimal] = field(default_factory=dict)
    unknown: Unknown = NOTHING_UNKNOWN
    compared: dict[tuple[Baseline, bool], Kept] = field(default_factory=dict)

    def recorded(self) -> Recorded:
        return Recorded(
            counted_at=self.counted_at,
            totals=tuple(self.totals.items()),
            month_to_date=self.month_to_date,
            hours=tuple(self.hours.items()),
            unknown=self.unknown,
            compared=tuple(self.compared.values()),
        )


@dataclass(slots=True)
class _Target:
    """By namespace and name of the policy, and by pool."""

    policies: dict[tuple[str, str], _Told] = field(default_factory=dict)
    pools: dict[str, _Told] = field(default_factory=dict)


def build_query(matchers: str) -> str:
    pattern = f"{names.PREFIX}({'|'.join(_FAMILIES)})"
    chosen = ", ".join(filter(None, (f'__name__=~"{pattern}"', matchers.strip(" ,"))))
    return f"last_over_time({{{chosen}}}[{REACH_SECONDS}s])"


async def read_recorded(
    reader: MetricsReader, prometheus: PrometheusSettings, *, currency: str
) -> RecordedCosts | Missing:
    """Amounts in another currency are left out."""
    answer = await reader.query(build_query(prometheus.matchers), at=None)
    if isinstance(answer, Missing):
        return answer
    if answer.partial:
        return Missing(reason=MissingReason.PARTIAL, detail="Prometheus: a partial answer")
    return sort_recorded(answer.result, currency)


def sort_recorded(entries: Iterable[Mapping[str, Any]], currency: str) -> RecordedCosts:
    """What has no time up to which it counts is left out."""
    targets: dict[frozenset[tuple[str, str]], _Target] = defaultdict(_Target)
    for entry in entries:
        labels, value = entry["metric"], number_of(entry.get("value"))
        name = labels["__name__"].removeprefix(names.PREFIX)
        other = label_of(labels, "currency") not in ("", currency)
        if value is None or other or name not in _FAMILIES:
            continue
        target = targets[_target(labels)]
        if name.startswith("pool_"):
            told = target.pools.setdefault(label_of(labels, "pool"), _Told())
        else:
            whose = label_of(labels, "namespace"), label_of(labels, "policy")
            told = target.policies.setdefault(whose, _Told())
        _take(told, name, labels, value)
    return RecordedCosts(tellers=tuple(map(_teller, targets.values())))


def _teller(target: _Target) -> Teller:
    return Teller(
        policies={
            PolicyKey(namespace=namespace, name=name, uid=told.uid): told.recorded()
            for (namespace, name), told in target.policies.items()
            if told.uid and not math.isnan(told.counted_at)
        },
        pools={
            pool: told.recorded()
            for pool, told in target.pools.items()
            if not math.isnan(told.counted_at)
        },
    )


def _take(told: _Told, name: str, labels: Labels, value: float) -> None:
    if name in (names.POLICY_COUNTED, names.POOL_COUNTED):
        told.counted_at, told.uid = value, label_of(labels, names.UID)
    elif name == names.MONTH_TO_DATE:
        told.month_to_date = Decimal(str(value))
    elif name in _UNKNOWN:
        told.unknown = _with_unknown(told.unknown, label_of(labels, names.REASON), value)
    elif name in _COMPARED:
        _take_compared(told, name, labels, value)
    else:
        line = line_of(labels)
        if line is not None and name in _CHARGED:
            told.hours[line] = Decimal(str(value)) / SECONDS_PER_HOUR
        elif line is not None:
            told.totals[line] = Decimal(str(value))


def _with_unknown(unknown: Unknown, reason: str, seconds: float) -> Unknown:
    if reason == names.AWAY:
        return replace(unknown, away=seconds)
    return replace(unknown, unpriced=seconds) if reason == names.UNPRICED else unknown


def _take_compared(told: _Told, name: str, labels: Labels, value: float) -> None:
    """Nothing of a baseline or mode of a newer version."""
    try:
        baseline = Baseline(label_of(labels, "baseline"))
        potential = Mode(label_of(labels, "mode")) is Mode.RECOMMEND
    except ValueError:
        return
    pair = (baseline, potential)
    kept = told.compared.get(pair) or Kept(baseline=baseline, potential=potential)
    told.compared[pair] = _with_compared(kept, name, label_of(labels, names.SIDE), value)


def _with_compared(kept: Kept, name: str, side: str, value: float) -> Kept:
    if name == f"{names.COMPARED_REQUESTS}_total":
        return replace(kept, requests=value)
    if name == f"{names.COMPARED_SECONDS}_total":
        return replace(kept, seconds=value)
    if name == f"{names.COMPARED_COST}_total":
        return _with_side(kept, side, amount=Decimal(str(value)))
    return _with_side(kept, side, late=value)


def _with_side(kept: Kept, side: str, **changed: Any) -> Kept:
    if side == names.POLICY_SIDE:
        return replace(kept, ours=replace(kept.ours, **changed))
    return replace(kept, theirs=replace(kept.theirs, **changed))


def line_of(labels: Labels) -> CostLine | None:
    """None for what a newer version may have written."""
    try:
        return CostLine(
            kind=Kind(label_of(labels, "line")),
            pool=label_of(labels, "pool"),
            capacity_type=CapacityType(label_of(labels, "capacity_type")),
            variant=label_of(labels, "variant"),
            cost_center=label_of(labels, "cost_center"),
        )
    except ValueError:
        return None


def label_of(labels: Labels, name: str) -> str:
    return labels.get(f"{_EXPORTED}{name}") or labels.get(name, "")


def _target(labels: Labels) -> frozenset[tuple[str, str]]:
    """What tells the processes apart."""
    return frozenset(
        (name, value) for name, value in labels.items() if name.removeprefix(_EXPORTED) not in _OURS
    )


def number_of(value: Any) -> float | None:
    try:
        number = float(value[1])
    except (TypeError, ValueError, IndexError):
        return None
    return number if math.isfinite(number) and number >= 0 else None
