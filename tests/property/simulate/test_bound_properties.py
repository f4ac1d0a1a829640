"""No schedule beats the lower bound at its own late share, and the bound moves the right way."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from inference_cost.simulate.bound import lower_bound
from inference_cost.simulate.bound_spot import SpotMarket

QUICK = settings(max_examples=150, deadline=None)
STEP_SECONDS = 10.0
LONGEST = 60
SEEDS = st.integers(0, 2**32 - 1)
PRICES = st.floats(0.1, 30.0)
STARTS = st.sampled_from([0.0, 7.0, 10.0, 60.0, 180.0])
LEAST_SECONDS = st.sampled_from([0.0, 60.0, 200.0, 3600.0])
SPOT_SHARES = st.floats(0.1, 1.5)
LATE = st.floats(0.0, 1.0)


def bound_of(counts: NDArray[np.float64], **changes: Any) -> float:
    parameters: dict[str, Any] = {
        "step_seconds": STEP_SECONDS,
        "goodput_per_second": 1.3,
        "price_per_hour": 2.0,
        "start_seconds": 60.0,
        "late_fraction": 0.0,
    }
    return lower_bound(counts, **parameters | changes).cost_dollars


def traffic(seed: int) -> NDArray[np.float64]:
    """Bursts, silence and levels, up to about six replicas."""
    draw = np.random.default_rng(seed)
    steps = int(draw.integers(1, LONGEST))
    level = np.repeat(draw.uniform(0, 60, steps), draw.integers(1, 9, steps))[:steps]
    return draw.poisson(level * (draw.random(steps) < 0.8)).astype(float)


def fleet(draw: np.random.Generator, steps: int, largest: int = 7) -> NDArray[np.int64]:
    """Replicas per step, kept for some steps at a time."""
    held = np.repeat(draw.integers(0, largest, steps), draw.integers(1, 9, steps))
    return held[:steps]


def tight_fleet(draw: np.random.Generator, counts: NDArray[np.float64]) -> NDArray[np.int64]:
    """What a good policy would do: enough for most of the requests, and no stop before a short gap."""
    share, window = draw.uniform(0.7, 1.05), int(draw.integers(1, 9))
    needed = np.ceil(share * counts / (1.3 * STEP_SECONDS)).astype(np.int64)
    ahead = np.concatenate([needed, np.zeros(window - 1, np.int64)])
    return np.lib.stride_tricks.sliding_window_view(ahead, window).max(axis=1)


def lives(replicas: NDArray[np.int64]) -> list[tuple[int, int]]:
    """First step and step after the last of each replica, the oldest stopped first."""
    running: list[int] = []
    ended: list[tuple[int, int]] = []
    for step, wanted in enumerate(replicas):
        while len(running) > wanted:
            ended.append((running.pop(0), step))
        running += [step] * (int(wanted) - len(running))
    return ended + [(begin, len(replicas)) for begin in running]


def bill(
    replicas: NDArray[np.int64],
    price: NDArray[np.float64],
    start_seconds: float,
    least_seconds: float = 0.0,
) -> float:
    """Dollars: time on and start-up time at the price of the step, replica by replica."""
    dollars = 0.0
    for begin, end in lives(replicas):
        seconds = (end - begin) * STEP_SECONDS
        billed = max(seconds + start_seconds, least_seconds) if begin > 0 else seconds
        dollars += float(price[begin:end].sum()) * STEP_SECONDS
        dollars += (billed - seconds) * float(price[begin])
    return dollars / 3600


def late_share(counts: NDArray[np.float64], replicas: NDArray[np.int64]) -> float:
    late = np.maximum(counts - replicas * 1.3 * STEP_SECONDS, 0).sum()
    return float(late / counts.sum()) if counts.sum() > 0 else 0.0


@QUICK
@given(seed=SEEDS, tight=st.booleans(), price=PRICES, start=STARTS, least=LEAST_SECONDS)
def test_no_schedule_is_cheaper(
    seed: int, tight: bool, price: float, start: float, least: float
) -> None:
    counts = traffic(seed)
    draw = np.random.default_rng(seed + 1)
    replicas = tight_fleet(draw, counts) if tight else fleet(draw, len(counts))
    paid = bill(replicas, np.full(len(counts), price), start, least)
    bound = bound_of(
        counts,
        price_per_hour=price,
        start_seconds=start,
        late_fraction=late_share(counts, replicas),
        minimum_billing_seconds=least,
        min_replicas=int(replicas.min()),
        max_replicas=int(replicas.max()),
    )
    assert bound <= paid * (1 + 1e-9) + 1e-12


@QUICK
@given(seed=SEEDS, tight=st.booleans(), start=STARTS, share=SPOT_SHARES, varies=st.booleans())
def test_no_schedule_with_spot_is_cheaper(
    seed: int, tight: bool, start: float, share: float, varies: bool
) -> None:
    counts = traffic(seed)
    draw = np.random.default_rng(seed + 1)
    steps = len(counts)
    there = fleet(draw, steps, largest=3) > 0
    prices = share * (draw.uniform(0.6, 1.4, steps) if varies else np.ones(steps))
    on_demand = fleet(draw, steps, 4)
    spot = fleet(draw, steps, 4) * there
    if tight:
        on_demand = np.maximum(tight_fleet(draw, counts) - spot, 0)
    paid = bill(on_demand, np.ones(steps), start) + bill(spot, prices, start)
    bound = bound_of(
        counts,
        price_per_hour=1.0,
        start_seconds=start,
        late_fraction=late_share(counts, on_demand + spot),
        spot=SpotMarket(price_per_hour=np.where(there, prices, np.inf)),
    )
    assert bound <= paid * (1 + 1e-9) + 1e-12


def gaps_filled(counts: NDArray[np.float64], price: float, start: float) -> float:
    """Each level is on from its first request to its last, but for the gaps longer than a start."""
    levels = int(np.ceil(counts.max() / (1.3 * STEP_SECONDS))) if len(counts) else 0
    seconds = 0.0
    for level in range(levels):
        wanted = np.flatnonzero(counts > level * 1.3 * STEP_SECONDS)
        before = min(wanted[0] * STEP_SECONDS, start)  # on from the first step, or started later
        gaps = (np.diff(wanted) - 1) * STEP_SECONDS
        seconds += before + len(wanted) * STEP_SECONDS + float(np.minimum(gaps, start).sum())
    return seconds * price / 3600


@QUICK
@given(seed=SEEDS, price=PRICES, start=STARTS)
def test_without_late_requests_gaps_shorter_than_a_start_are_filled(
    seed: int, price: float, start: float
) -> None:
    counts = traffic(seed)
    bound = bound_of(counts, price_per_hour=price, start_seconds=start)
    assert bound == pytest.approx(gaps_filled(counts, price, start), rel=1e-9, abs=1e-12)


@QUICK
@given(seed=SEEDS, fractions=st.tuples(LATE, LATE))
def test_more_late_requests_cost_no_more(seed: int, fractions: tuple[float, float]) -> None:
    counts = traffic(seed)
    few, many = (bound_of(counts, late_fraction=fraction) for fraction in sorted(fractions))
    assert many <= few * (1 + 1e-9)


@QUICK
@given(seed=SEEDS, late=LATE, factor=st.floats(1.0, 50.0))
def test_the_bound_is_in_proportion_to_the_price(seed: int, late: float, factor: float) -> None:
    counts = traffic(seed)
    cheap = bound_of(counts, late_fraction=late, price_per_hour=1.0)
    dear = bound_of(counts, late_fraction=late, price_per_hour=factor)
    assert dear == pytest.approx(factor * cheap, rel=1e-8, abs=1e-12)


@QUICK
@given(seed=SEEDS, late=LATE, starts=st.tuples(st.floats(0, 300), st.floats(0, 300)))
def test_longer_starts_cost_no_less(seed: int, late: float, starts: tuple[float, float]) -> None:
    counts = traffic(seed)
    short, long = (
        bound_of(counts, late_fraction=late, start_seconds=start) for start in sorted(starts)
    )
    assert short <= long * (1 + 1e-9) + 1e-12


@QUICK
@given(seed=SEEDS, late=LATE, share=SPOT_SHARES)
def test_spot_makes_nothing_dearer(seed: int, late: float, share: float) -> None:
    counts = traffic(seed)
    there = np.random.default_rng(seed + 1).random(len(counts)) < 0.7
    market = SpotMarket(price_per_hour=np.where(there, 2.0 * share, np.inf))
    without = bound_of(counts, late_fraction=late)
    assert bound_of(counts, late_fraction=late, spot=market) <= without * (1 + 1e-9) + 1e-12


@QUICK
@given(
    seed=SEEDS, late=st.floats(0.0, 0.5), limits=st.tuples(st.integers(0, 3), st.integers(10, 12))
)
def test_limits_make_nothing_cheaper(seed: int, late: float, limits: tuple[int, int]) -> None:
    counts = traffic(seed)
    free = bound_of(counts, late_fraction=late)
    limited = bound_of(counts, late_fraction=late, min_replicas=limits[0], max_replicas=limits[1])
    assert free <= limited * (1 + 1e-9) + 1e-12
