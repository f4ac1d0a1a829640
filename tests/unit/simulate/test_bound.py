"""The lower bound against sums by hand and against every schedule that there is."""

import itertools
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from inference_cost.simulate.bound import Bound, lower_bound
from inference_cost.simulate.bound_spot import SpotMarket

# A replica serves ten requests per step and costs a dollar per step; a start costs two.
SIMPLE: dict[str, Any] = {
    "step_seconds": 10.0,
    "goodput_per_second": 1.0,
    "price_per_hour": 360.0,
    "start_seconds": 20.0,
    "late_fraction": 0.0,
}
NO_SPOT = np.inf

BY_HAND: dict[str, tuple[list[float], dict[str, Any], float]] = {
    "no requests cost nothing": ([0, 0, 0], {}, 0),
    "replicas of the first step are there without a start": ([5, 5, 5], {}, 3),
    "a start later on is paid": ([0, 0, 0, 5], {}, 3),
    "being on from the first step may be cheaper than a start": ([0, 5], {}, 2),
    "a gap cheaper than a start is sat out": ([5, 0, 5], {}, 3),
    "a gap dearer than a start is not": ([5, 0, 0, 0, 5], {}, 4),
    "one request too many needs a second replica": ([11], {}, 2),
    "each level decides on its own gaps": ([15, 5, 15, 5, 5, 5, 15], {}, 13),
    "full replicas need no other one": ([30, 30], {}, 6),
    "the request that costs most is left late": ([10, 1], {"late_fraction": 1 / 11}, 1),
    "half of a step may be late: half of its cost": ([10], {"late_fraction": 0.5}, 0.5),
    "all may be late": ([10, 20], {"late_fraction": 1.0}, 0),
    "the lowest replicas are on, needed or not": ([0, 0, 15], {"min_replicas": 1}, 6),
    "the lowest replicas are on although all may be late": (
        [10, 10],
        {"min_replicas": 2, "late_fraction": 1.0},
        4,
    ),
    "what the limit of replicas leaves late": (
        [15, 5],
        {"max_replicas": 1, "late_fraction": 5 / 20},
        2,
    ),
    "a minimum billing time that the start covers": (
        [*[0] * 60, 5, *[0] * 9],
        {"minimum_billing_seconds": 20.0},
        3,
    ),
    "a minimum billing time longer than the run, weighed 9 to 1": (
        [*[0] * 60, 5, *[0] * 9],
        {"minimum_billing_seconds": 60.0},
        0.1 * 3 + 0.9 * 6,
    ),
    "no minimum is billed beyond the last step": (
        [*[0] * 60, 5, 0],
        {"minimum_billing_seconds": 60.0},
        0.1 * 3 + 0.9 * 4,
    ),
}


@pytest.mark.parametrize(("counts", "changes", "dollars"), BY_HAND.values(), ids=BY_HAND)
def test_sums_by_hand(counts: list[float], changes: dict[str, Any], dollars: float) -> None:
    bound = lower_bound(np.array(counts, float), **SIMPLE | changes)
    assert bound.cost_dollars == pytest.approx(dollars, abs=1e-9)


# Spot replicas cost 0.5 per step unless the row says otherwise, and one per start.
SPOT_BY_HAND: dict[str, tuple[list[float], list[float], float]] = {
    "spot all the time": ([5, 5, 5], [0.5, 0.5, 0.5], 1.5),
    "no spot at all": ([5, 5, 5], [NO_SPOT, NO_SPOT, NO_SPOT], 3),
    "spot too short for a start of its own": (
        [5] * 5,
        [NO_SPOT, 0.5, NO_SPOT, NO_SPOT, NO_SPOT],
        5,
    ),
    "spot that ends is left for on-demand with a start": ([5] * 3, [0.5, 0.5, NO_SPOT], 3),
    "spot that comes is entered with a start": ([5] * 8, [NO_SPOT] + [0.5] * 7, 1 + 1 + 3.5),
    "a spike on spot": ([0, 0, 5, 0], [NO_SPOT, 0.5, 0.5, 0.5], 1.5),
    "dearer than on-demand and of no use": ([5, 5], [1.5, 1.5], 2),
}


@pytest.mark.parametrize(("counts", "steps", "dollars"), SPOT_BY_HAND.values(), ids=SPOT_BY_HAND)
def test_sums_with_spot_by_hand(counts: list[float], steps: list[float], dollars: float) -> None:
    bound = lower_bound(np.array(counts, float), **SIMPLE, spot=market(steps))
    assert bound.cost_dollars == pytest.approx(dollars, abs=1e-9)


def market(dollars_per_step: list[float]) -> SpotMarket:
    return SpotMarket(price_per_hour=np.array(dollars_per_step) * 360.0)


def test_a_spot_replica_started_for_a_peak_may_take_over_from_an_on_demand_one() -> None:
    # One on-demand replica in the steps 0-9, one spot replica in the steps 5-14, started once.
    counts = np.repeat([10.0, 20.0, 10.0], 5)
    bound = lower_bound(counts, **SIMPLE, spot=market([NO_SPOT] * 5 + [0.9] * 10))
    takes_over = 10 * 1.0 + 1.8 + 10 * 0.9
    per_level = 15 * 1.0 + (1.8 + 5 * 0.9)  # what a start at each change of a level would claim
    assert bound.cost_dollars <= takes_over < per_level
    assert bound.cost_dollars > 0.95 * takes_over


def test_the_schedule_shows_the_gap() -> None:
    bound = lower_bound(np.array([10.0, 0, 0, 0, 4.0]), **SIMPLE | {"late_fraction": 0.1})
    assert bound.cost_dollars == pytest.approx(1 + 3 * (4 - 1.4) / 4)
    assert bound.late_price_dollars == pytest.approx(3 / 4)
    assert bound.on_demand.tolist() == [1, 0, 0, 0, 1]
    assert bound.duality_gap_dollars == pytest.approx(4 - bound.cost_dollars)
    assert bound.attainment == 1.0


REFUSED: dict[str, tuple[list[float], dict[str, Any], str]] = {
    "no steps": ([], {}, "at least one step"),
    "a negative count": ([-1], {}, "counts"),
    "a count that is not a number": ([np.nan], {}, "counts"),
    "a step of no width": ([1], {"step_seconds": 0.0}, "positive"),
    "an infinite price": ([1], {"price_per_hour": np.inf}, "positive"),
    "a negative start": ([1], {"start_seconds": -1.0}, "start"),
    "more than all late": ([1], {"late_fraction": 1.1}, "late_fraction"),
    "limits that exclude each other": ([1], {"min_replicas": 2, "max_replicas": 1}, "replicas"),
    "too few replicas": ([20], {"max_replicas": 1, "late_fraction": 0.49}, "10 requests are late"),
    "spot prices of other steps": ([1], {"spot": market([0.5, 0.5])}, "same steps"),
}


@pytest.mark.parametrize(("counts", "changes", "words"), REFUSED.values(), ids=REFUSED)
def test_refuses(counts: list[float], changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        lower_bound(np.array(counts, float), **SIMPLE | changes)


def test_refuses_a_spot_price_that_is_not_a_number() -> None:
    with pytest.raises(ValueError, match="spot prices"):
        market([np.nan])


def test_the_late_share_of_a_full_fleet_is_reachable_despite_rounding() -> None:
    counts = np.random.default_rng(3).gamma(2.0, 7.0, 500)
    late = np.maximum(counts - 2 * 10.0, 0).sum() / counts.sum()
    for share in (late, np.nextafter(late, 0), np.nextafter(late, 1)):
        bound = lower_bound(counts, **SIMPLE | {"late_fraction": share, "max_replicas": 2})
        assert bound.attainment == pytest.approx(1 - late)
        assert 0 < bound.cost_dollars <= 2 * 500


def every_schedule(steps: int, choices: list[tuple[int, int]]) -> tuple[NDArray[np.int64], ...]:
    """All schedules of (on-demand, spot) replicas, each of shape (schedules, steps)."""
    grid = np.array(list(itertools.product(choices, repeat=steps)))
    return grid[:, :, 0], grid[:, :, 1]


def started(replicas: NDArray[np.int64]) -> NDArray[np.int64]:
    """Starts per step; the first step has none."""
    return np.maximum(np.diff(replicas, prepend=replicas[:, :1]), 0)


def late_and_dollars(
    counts: NDArray[np.float64], changes: dict[str, Any], choices: list[tuple[int, int]]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Of every schedule, written down from the rules of billing."""
    parameters = SIMPLE | changes
    on_demand, spot = every_schedule(len(counts), choices)
    price = parameters["price_per_hour"] / 3600
    seconds = parameters["step_seconds"]
    dollars = price * (seconds * on_demand + parameters["start_seconds"] * started(on_demand)).sum(
        1
    )
    if "spot" in parameters:
        prices = parameters["spot"].price_per_hour / 3600
        back = int(np.ceil(parameters["start_seconds"] / parameters["step_seconds"]))
        lowest = np.array([min(prices[max(0, t - back) : t + 1]) for t in range(len(prices))])
        there = np.isfinite(prices)
        running = seconds * spot * np.where(there, prices, 0.0)
        starts = parameters["start_seconds"] * started(spot) * np.where(there, lowest, 0.0)
        dollars = dollars + np.where((spot > 0) & ~there, np.inf, running + starts).sum(1)
    capacity = parameters["goodput_per_second"] * parameters["step_seconds"]
    late = np.maximum(counts - (on_demand + spot) * capacity, 0).sum(1)
    return late, dollars


def mixture(late: NDArray[np.float64], dollars: NDArray[np.float64], allowed: float) -> float:
    """The least cost of two schedules mixed so that `allowed` requests are late: the exact value of the dual."""
    order = np.lexsort((dollars, late))
    late, dollars = late[order], dollars[order]
    useful = np.concatenate([[True], dollars[1:] < np.minimum.accumulate(dollars)[:-1]])
    late, dollars = late[useful], dollars[useful]
    kept, broken = late <= allowed, late > allowed
    best = float(dollars[kept].min())
    if not broken.any():
        return best
    i, j = np.flatnonzero(kept)[:, None], np.flatnonzero(broken)[None, :]
    weight = (allowed - late[i]) / (late[j] - late[i])
    return min(best, float((dollars[i] + weight * (dollars[j] - dollars[i])).min()))


def random_task(draw: np.random.Generator, steps: int, replicas: int) -> tuple[Any, dict[str, Any]]:
    goodput = draw.uniform(0.5, 2.0)
    counts = draw.uniform(0, replicas * 10 * goodput, steps) * (draw.random(steps) < 0.7)
    changes = {
        "goodput_per_second": goodput,
        "price_per_hour": draw.uniform(100, 500),
        "start_seconds": draw.choice([0.0, 5.0, 10.0, 20.0, 35.0]),
        "late_fraction": draw.choice([0.0, 0.0, draw.uniform(0, 0.1), draw.uniform(0, 0.9)]),
    }
    return counts, changes


ONLY_ON_DEMAND = [(replicas, 0) for replicas in range(4)]
WITH_SPOT = [(0, 0), (1, 0), (0, 1), (2, 0), (1, 1), (0, 2)]


@pytest.mark.parametrize("seed", range(10))
def test_is_the_cheapest_mixture_of_all_schedules(seed: int) -> None:
    draw = np.random.default_rng(seed)
    for _ in range(60):
        counts, changes = random_task(draw, steps=int(draw.integers(1, 7)), replicas=3)
        bound = lower_bound(counts, **SIMPLE | changes)
        late, dollars = late_and_dollars(counts, changes, ONLY_ON_DEMAND)
        allowed = changes["late_fraction"] * counts.sum()
        assert bound.cost_dollars == pytest.approx(mixture(late, dollars, allowed), abs=1e-9)
        encloses(bound, float(dollars[late <= allowed + 1e-9].min()), changes)


def encloses(bound: Bound, optimum: float, changes: dict[str, Any]) -> None:
    """The optimum is between the bound and the schedule found; without late requests they are one."""
    assert bound.duality_gap_dollars >= 0
    assert bound.cost_dollars <= optimum + 1e-9
    assert optimum <= bound.cost_dollars + bound.duality_gap_dollars + 1e-9
    if changes["late_fraction"] == 0 and "spot" not in changes:
        assert bound.cost_dollars == pytest.approx(optimum, abs=1e-9)
        assert bound.duality_gap_dollars == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("seed", range(6))
def test_with_spot_is_never_above_the_cheapest_schedule_and_close_to_it(seed: int) -> None:
    draw = np.random.default_rng(100 + seed)
    shares = []
    for _ in range(50):
        counts, changes = random_task(draw, steps=int(draw.integers(2, 6)), replicas=2)
        prices = draw.uniform(0.2, 1.1) * np.where(draw.random(len(counts)) < 0.6, 1.0, np.inf)
        if draw.random() < 0.5:
            prices = prices * draw.uniform(0.7, 1.3, len(counts))
        changes["spot"] = SpotMarket(price_per_hour=prices * changes["price_per_hour"])
        bound = lower_bound(counts, **SIMPLE | changes)
        late, dollars = late_and_dollars(counts, changes, WITH_SPOT)
        allowed = changes["late_fraction"] * counts.sum()
        encloses(bound, float(dollars[late <= allowed + 1e-9].min()), changes)
        exact = mixture(late, dollars, allowed)
        shares.append(bound.cost_dollars / exact if exact > 0 else 1.0)
    assert max(shares) <= 1 + 1e-9
    assert np.mean(shares) > 0.97
    assert np.mean(np.array(shares) > 1 - 1e-9) > 0.6


PAIRS = np.array([(a, b) for a in range(4) for b in range(4 - a)])


def cheapest_of_pairs(
    counts: NDArray[np.float64], changes: dict[str, Any], late_price: float
) -> float:
    """Exact dynamic program over (on-demand, spot) replicas, up to three, late requests at their price."""
    parameters = SIMPLE | changes
    price, seconds = parameters["price_per_hour"] / 3600, parameters["step_seconds"]
    spot_prices = parameters["spot"].price_per_hour / 3600
    there = np.isfinite(spot_prices)
    spot_price = float(spot_prices[there].max(initial=0.0))  # one price wherever there is spot
    more = np.maximum(PAIRS[None, :, :] - PAIRS[:, None, :], 0)
    starts = parameters["start_seconds"] * (price * more[:, :, 0] + spot_price * more[:, :, 1])
    capacity = parameters["goodput_per_second"] * seconds
    running = seconds * (price * PAIRS[:, 0] + spot_price * PAIRS[:, 1])
    least = np.zeros(len(PAIRS))
    for step, count in enumerate(counts):
        entered = least if step == 0 else (least[:, None] + starts).min(axis=0)
        late = np.maximum(count - PAIRS.sum(axis=1) * capacity, 0)
        least = entered + running + late_price * late
        if not there[step]:
            least[PAIRS[:, 1] > 0] = np.inf
    return float(least.min())


def spells(draw: np.random.Generator, steps: int, longest: int) -> NDArray[np.int64]:
    """Whole numbers up to three, each kept for up to `longest` steps."""
    values = np.repeat(draw.integers(0, 4, steps), draw.integers(1, longest, steps))
    return values[:steps]


@pytest.mark.parametrize("late_fraction", [0.0, 0.03])
def test_with_spot_over_long_spells(late_fraction: float) -> None:
    draw = np.random.default_rng(11)
    shares = []
    for _ in range(60):
        steps = int(draw.integers(20, 60))
        counts = 10.0 * spells(draw, steps, 12)
        prices = np.where(spells(draw, steps, 30) > 0, draw.uniform(0.3, 1.05), np.inf)
        changes = {
            "start_seconds": draw.choice([5.0, 20.0, 60.0]),
            "late_fraction": late_fraction,
            "spot": market(prices.tolist()),
        }
        bound = lower_bound(counts, **SIMPLE | changes)
        exact = cheapest_of_pairs(counts, changes, bound.late_price_dollars)
        exact -= bound.late_price_dollars * late_fraction * counts.sum()
        assert bound.cost_dollars <= exact * (1 + 1e-9)
        shares.append(bound.cost_dollars / exact if exact > 0 else 1.0)
    assert np.mean(shares) > 0.97


def test_spot_that_never_comes_changes_nothing() -> None:
    draw = np.random.default_rng(7)
    counts = draw.poisson(25, 200).astype(float)
    changes = SIMPLE | {"late_fraction": 0.02}
    without = lower_bound(counts, **changes)
    bound = lower_bound(counts, **changes, spot=market([NO_SPOT] * 200))
    assert bound.cost_dollars == pytest.approx(without.cost_dollars, rel=1e-9)
    assert bound.spot.sum() == 0


def test_spot_that_is_always_there_is_a_cheaper_on_demand() -> None:
    counts = np.random.default_rng(8).poisson(25, 200).astype(float)
    changes = SIMPLE | {"late_fraction": 0.02, "min_replicas": 1}
    half_price = lower_bound(counts, **changes | {"price_per_hour": 180.0})
    bound = lower_bound(counts, **changes, spot=market([0.5] * 200))
    assert bound.cost_dollars == pytest.approx(half_price.cost_dollars, rel=1e-9)
    assert bound.on_demand.sum() == 0
