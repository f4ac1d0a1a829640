"""The baselines: how many replicas each would run for the demand of now, and what they would cost.

- Observed: what really ran in Recommend. As much per request as then, in the same pools, at the prices of now.
- HPA: an autoscaler on requests per second and pod (`hpa.py`).
- StaticPeak: at all times what the highest demand of the last four weeks needs.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from math import ceil

from inference_cost.account.accrual import DAYS_KEPT
from inference_cost.account.calendar import date_of
from inference_cost.account.savings.hpa import TARGET_FRACTION, Bounds, Hpa, new_hpa, synced
from inference_cost.account.savings.whole_nodes import PoolPart, Replica
from inference_cost.model.policy import Baseline
from inference_cost.model.reading import Missing, MissingReason

SECONDS_PER_HOUR = 3600
LEAST_OBSERVED_SECONDS = 3600.0
MOST_OBSERVED_SECONDS = 28 * 86_400.0  # older looks weigh less
_HAIR = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """Requests per second offered, and what one replica carries of them within the objective."""

    per_second: float
    load_per_replica: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What ran in one pool in Recommend, and the last price of a node there."""

    pool: str
    node_seconds: float
    per_hour: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """Sums over the time in Recommend."""

    seconds: float = 0.0
    requests: float = 0.0
    late: float = 0.0
    replica_seconds: float = 0.0
    measured: bool = True  # what was late; else predicted
    ran: tuple[Ran, ...] = ()
    fewest: int | None = None  # replicas


@dataclass(frozen=True, slots=True, kw_only=True)
class Shadows:
    """What is remembered of all baselines, so that another one may be chosen at any time."""

    observed: Observed = field(default_factory=Observed)
    hpa: Hpa | None = None
    peaks: tuple[tuple[str, float], ...] = ()  # by day: the highest demand, in replicas
    replica: Replica | None = None  # as last seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Counterfactual:
    """A baseline now. `late_fraction`: of the requests, predicted unless it was measured."""

    replicas: float
    per_hour: Decimal
    late_fraction: float
    measured: bool = False


def late_fraction(demand: Demand, ready: float) -> float:
    """Predicted: what is beyond the replicas' load misses the objective."""
    if demand.per_second <= 0:
        return 0.0
    return max(0.0, 1.0 - ready * demand.load_per_replica / demand.per_second)


def observe(
    seen: Observed,
    *,
    seconds: float,
    demand: Demand,
    replicas: int,
    parts: Iterable[PoolPart],
    late: float,
    measured: bool,
) -> Observed:
    """A look in Recommend, for the time that it stands for."""
    forget = min(1.0, MOST_OBSERVED_SECONDS / (seen.seconds + seconds))
    requests = demand.per_second * seconds
    ran = {one.pool: replace(one, node_seconds=one.node_seconds * forget) for one in seen.ran}
    for part in parts:
        before = ran[part.pool].node_seconds if part.pool in ran else 0.0
        nodes = float(part.nodes)
        price = part.per_hour / Decimal(str(nodes)) if nodes else Decimal(0)
        ran[part.pool] = Ran(pool=part.pool, node_seconds=before + nodes * seconds, per_hour=price)
    return Observed(
        seconds=seen.seconds * forget + seconds,
        requests=seen.requests * forget + requests,
        late=seen.late * forget + requests * late,
        replica_seconds=seen.replica_seconds * forget + replicas * seconds,
        measured=measured and (seen.measured or seen.seconds == 0),
        ran=tuple(ran.values()),
        fewest=replicas if seen.fewest is None else min(seen.fewest, replicas),
    )


def repriced(seen: Observed, prices: Mapping[str, Decimal]) -> Observed:
    """Nodes of pools that still have some cost what they cost now; others what they did last."""
    ran = (replace(one, per_hour=prices.get(one.pool, one.per_hour)) for one in seen.ran)
    return replace(seen, ran=tuple(ran))


def followed(
    shadows: Shadows,
    *,
    at: float,
    demand: Demand,
    replicas: int,
    start_up_seconds: float,
    bounds: Bounds,
) -> Shadows:
    """Another look at the demand. What is not Observed is run on from it."""
    hpa = shadows.hpa or new_hpa(max(replicas, bounds.low, 1), at)
    today, needed = date_of(at), demand.per_second / demand.load_per_replica
    peaks = dict(shadows.peaks)
    peaks[today] = max(peaks.get(today, 0.0), needed)
    return replace(
        shadows,
        hpa=synced(
            hpa,
            at=at,
            rate=demand.per_second,
            target=TARGET_FRACTION * demand.load_per_replica,
            start_up=start_up_seconds,
            bounds=Bounds(low=max(bounds.low, 1), high=bounds.high),
        ),
        peaks=tuple(sorted(peaks.items())[-DAYS_KEPT:]),
    )


def counterfactual(
    kind: Baseline, shadows: Shadows, *, at: float, demand: Demand, bounds: Bounds
) -> Counterfactual | Missing:
    """What the baseline would run and cost now."""
    if kind is Baseline.OBSERVED:
        return _as_observed(shadows.observed, demand, bounds)
    if shadows.replica is None:
        return _too_early("no replica ran yet to be priced")
    if kind is Baseline.HPA:
        if shadows.hpa is None:
            return _too_early("nothing was looked at yet")
        count, ready = shadows.hpa.replicas, shadows.hpa.ready(at)
    else:
        if not shadows.peaks:
            return _too_early("nothing was looked at yet")
        highest = ceil(max(needed for _, needed in shadows.peaks) - _HAIR)
        count = ready = min(max(highest, bounds.low, 1), bounds.high)
    return Counterfactual(
        replicas=float(count),
        per_hour=shadows.replica.per_hour(count),
        late_fraction=late_fraction(demand, ready),
    )


def _as_observed(seen: Observed, demand: Demand, bounds: Bounds) -> Counterfactual | Missing:
    """As many nodes per request; for however few requests no fewer replicas than both sides must run."""
    if seen.seconds < LEAST_OBSERVED_SECONDS or seen.requests <= 0:
        return _too_early(
            f"less than {LEAST_OBSERVED_SECONDS / SECONDS_PER_HOUR:g} h with traffic was seen in mode Recommend; "
            "set `spec.baseline` to HPA or StaticPeak, or run in Recommend first"
        )
    scale = demand.per_second / seen.requests  # nodes for each node-second seen
    if seen.replica_seconds > 0:
        scale = max(scale, _floor(seen, bounds) / seen.replica_seconds)
    per_hour = sum(
        (Decimal(str(one.node_seconds * scale)) * one.per_hour for one in seen.ran),
        Decimal(0),
    )
    return Counterfactual(
        replicas=seen.replica_seconds * scale,
        per_hour=per_hour,
        late_fraction=seen.late / seen.requests,
        measured=seen.measured,
    )


def _floor(seen: Observed, bounds: Bounds) -> int:
    """Replicas: `minReplicas` and one, where what ran never went below."""
    least = max(bounds.low, 1)
    return least if seen.fewest is None else min(least, seen.fewest)


def _too_early(why: str) -> Missing:
    return Missing(reason=MissingReason.NOT_LEARNED, detail=why)
