"""A past taken in afterwards is worth as much as one that was watched."""

from dataclasses import replace

import numpy as np
import pytest

from inference_cost.decide.backfill import (
    SETTLED_SECONDS,
    YOUNG_SECONDS,
    Conditions,
    Taught,
    conditions,
    merged,
    teach,
    young,
)
from inference_cost.decide.engine import decide
from inference_cost.decide.evenness import LASTING_WINDOWS
from inference_cost.decide.headroom.learned import (
    AGE,
    BUDGET,
    DEMAND,
    MAY,
    MEAN,
    Floats,
    Learned,
    expect_nothing,
    from_bytes,
    new_vector,
    to_bytes,
    views,
)
from inference_cost.decide.headroom.sizing import size
from inference_cost.decide.serving import any_serving
from inference_cost.model.memory import Calibration, PolicyMemory
from inference_cost.model.plan import Evenness, HeadroomChoice
from inference_cost.model.policy import Policy, Schedule, TargetRef
from inference_cost.model.reading import Missing, MissingReason
from inference_cost.model.signals import LatestGap
from inference_cost.model.workload import NoWorkload, TargetProblem
from tests.unit.decide.headroom.cases import MIDNIGHT, look, serving
from tests.unit.decide.worlds import (
    ESTIMATE,
    NOON,
    key,
    learned,
    memory_of,
    observation,
    policy,
    signals,
    snapshot,
)

TICK = 60.0
GIVEN = Conditions(
    look=look(0.0, tick=TICK, seconds=TICK, window=4 * TICK, lead=500.0),
    replica=serving(late=any_serving().late, gains=any_serving().gains),
)
A_DAY = round(86_400 / TICK)
LOOKS = 480


def past(looks: int, start: float = MIDNIGHT) -> tuple[Floats, Floats]:
    """A day's wave with bursts."""
    draw, numbers = np.random.default_rng(7), np.arange(looks)
    wave = 100 + 60 * np.sin(2 * np.pi * numbers / A_DAY)
    return start + TICK * (numbers + 1.0), wave * np.exp(0.1 * draw.standard_normal(looks))


def live(times: Floats, rates: Floats) -> Learned:
    """Each look as a tick shows it, with a fleet that is never late."""
    vector, before = new_vector(), -np.inf
    for i, at in enumerate(times):
        recent = rates[: i + 1][times[: i + 1] > at - 3.5 * TICK]
        seconds = at - before
        if seconds > 4 * TICK:
            expect_nothing(vector)
            seconds = TICK
        now = GIVEN.look._replace(
            at=float(at), seconds=float(seconds), rate=float(recent.mean()), latest=float(rates[i])
        )
        size(vector, now, GIVEN.replica._replace(ready=1000), 0.01)
        before = at
    return views(vector)


def same(one: Floats, other: Floats) -> bool:
    return bool(np.allclose(one, other, rtol=1e-9, atol=1e-12, equal_nan=True))


LEARNED_OF_DEMAND = (
    *("levels", "short", "features", "expected", "variance", "weights", "covariance", "normal"),
    *("moment", "recent", "daily", "bases", "live", "fewest", "cost", "late"),
)


@pytest.mark.parametrize(
    "left_out",
    [(), (300,), (300, 301, 302), range(200, 320)],
    ids=["nothing missing", "a look missing", "three looks missing", "two hours missing"],
)
def test_a_past_taught_is_one_that_was_watched(left_out: tuple[int, ...]) -> None:
    times, rates = past(LOOKS)
    there = np.setdiff1d(np.arange(LOOKS), left_out)
    times, rates = times[there], rates[there]
    taught, seen = views(teach(Taught(), GIVEN, times, rates).vector), live(times, rates)
    differing = [
        name for name in LEARNED_OF_DEMAND if not same(getattr(taught, name), getattr(seen, name))
    ]
    assert differing == []
    for number in (AGE, MEAN, DEMAND):
        assert taught.numbers[number] == pytest.approx(seen.numbers[number])


def test_a_past_in_parts_is_a_whole_past() -> None:
    times, rates = past(600)
    whole, parts = teach(Taught(), GIVEN, times, rates), Taught()
    for start in range(0, 600, 60):
        # A step that both parts tell of counts once.
        part = slice(max(start - 1, 0), start + 60)
        parts = teach(parts, GIVEN, times[part], rates[part])
    assert same(parts.vector, whole.vector)
    assert parts.at == whole.at


def test_a_past_of_which_nothing_is_known_teaches_nothing() -> None:
    nothing = np.empty(0)
    assert teach(Taught(), GIVEN, nothing, nothing).seconds == 0


def test_what_was_taught_is_not_changed_by_what_is_taught_then() -> None:
    times, rates = past(100)
    first = teach(Taught(), GIVEN, times[:50], rates[:50])
    before = first.vector.copy()
    teach(first, GIVEN, times[50:], rates[50:])
    assert same(first.vector, before)


def test_how_late_the_own_fleet_was_is_not_learned_from_the_past() -> None:
    times, rates = past(600)
    overloaded = replace(GIVEN, replica=GIVEN.replica._replace(ready=1))
    taught = views(teach(Taught(), overloaded, times, rates).vector)
    assert (taught.numbers[BUDGET], taught.numbers[MAY], taught.backlog[-1]) == (0, 0, 0)
    assert taught.numbers[DEMAND] > 0


# --- when ---


def aged(seconds: float, **more: object) -> PolicyMemory:
    vector = new_vector()
    vector[AGE] = seconds
    return replace(learned(), headroom=to_bytes(vector), looked_at=NOON - 15, **more)


@pytest.mark.parametrize(
    ("memory", "want"),
    [
        (PolicyMemory(), False),
        (aged(15.0), True),
        (aged(YOUNG_SECONDS), False),
        (replace(learned(), headroom=b"of another version"), True),
    ],
    ids=["never looked", "just begun", "an hour old", "nothing that can be read"],
)
def test_young(memory: PolicyMemory, want: bool) -> None:
    assert young(memory) is want


ROUGH = replace(ESTIMATE, residual=0.15**2, executions=120.0, largest_mean_batch=1.2)


def test_conditions_are_those_of_the_tick() -> None:
    given = conditions(observation(), aged(15.0), snapshot())
    assert given is not None
    assert given.look.tick == 15.0
    assert given.look.window == 60.0
    assert given.replica.load == pytest.approx(87, abs=4)
    assert given.replica.ready == 2


EACH_HOUR = {"start": "0 * * * *", "end": "59 * * * *"}
UNEVEN = Evenness(pods=2, effective=1.2, windows=LASTING_WINDOWS, looked_at=NOON - 15)


@pytest.mark.parametrize(
    ("of", "more", "bounds", "share"),
    [
        (policy(), {}, (1, 10), 1.0),
        (policy(schedules=(Schedule(**EACH_HOUR, min_replicas=4),)), {}, (4, 10), 1.0),
        (policy(schedules=(Schedule(**EACH_HOUR, max_replicas=20),)), {}, (1, 20), 1.0),
        (policy(lowest=0), {}, (1, 10), 1.0),
        (policy(), {"evenness": UNEVEN}, (1, 10), 0.6),
        (policy(), {"calibration": Calibration(template_hash="v1", factor=1.4)}, (1, 10), 0.75),
    ],
    ids=["as it is", "a minimum by the clock", "a maximum", "zero", "uneven", "calibrated"],
)
def test_conditions_are_as_bounded_and_corrected_as_the_tick_s(
    of: Policy, more: dict[str, object], bounds: tuple[int, int], share: float
) -> None:
    plain = conditions(observation(), aged(15.0), snapshot())
    given = conditions(observation(of=of), aged(15.0, **more), snapshot())
    assert plain is not None
    assert given is not None
    assert (given.replica.lowest, given.replica.highest) == bounds
    assert given.replica.load / plain.replica.load == pytest.approx(share, abs=0.05)


@pytest.mark.parametrize(
    ("seen", "memory", "want"),
    [
        (observation(), aged(15.0), True),
        (observation(), aged(15.0, estimates=()), False),
        (observation(), aged(15.0, estimates=(ROUGH,)), False),
        (observation(), aged(SETTLED_SECONDS, estimates=(ROUGH,)), True),
        (observation(Missing(reason=MissingReason.EMPTY_RESULT)), aged(15.0), False),
        (
            replace(
                observation(),
                workloads=(
                    NoWorkload(
                        target=TargetRef(api_version="apps/v1", kind="Deployment", name="x"),
                        problem=TargetProblem.NOT_FOUND,
                        message="",
                    ),
                ),
            ),
            aged(15.0),
            False,
        ),
    ],
    ids=[
        "known well",
        "not known",
        "not known well",
        "not known well after ten minutes",
        "no metrics",
        "no target",
    ],
)
def test_a_past_is_taken_in_once_a_replica_s_load_is_known(
    seen: object, memory: PolicyMemory, want: bool
) -> None:
    assert (conditions(seen, memory, snapshot()) is not None) is want  # type: ignore[arg-type]


# --- put together with what was watched since ---


def test_what_the_own_fleet_did_since_is_kept() -> None:
    young_one = aged(300.0)
    numbers = from_bytes(young_one.headroom)
    numbers[BUDGET], numbers[MAY] = -3.0, 7.0
    views(numbers).backlog[-1] = 5.0
    young_one = replace(young_one, headroom=to_bytes(numbers))
    times, rates = past(600, start=NOON - 601 * TICK)
    both = merged(young_one, teach(Taught(), GIVEN, times, rates))
    found = from_bytes(both.headroom)
    assert (found[BUDGET], found[MAY], views(found).backlog[-1]) == (-3.0, 7.0, 5.0)
    assert found[AGE] == 600 * TICK
    assert both.looked_at == times[-1]  # what came since then is taken in by the next tick


@pytest.mark.parametrize(
    "watched_seconds", [1000.0, 10 * TICK - 1.0], ids=["shorter", "hardly longer"]
)
def test_a_past_no_longer_than_what_was_watched_is_not_used(watched_seconds: float) -> None:
    times, rates = past(10)
    old = aged(watched_seconds)
    assert merged(old, teach(Taught(), GIVEN, times, rates)) is old


A_FAILURE = 1e-6  # where one failed, windows teach nothing of the replicas


def watched(rates: Floats) -> PolicyMemory:
    """Through `decide` itself, a look every 15 s until noon; of replicas nothing is learned meanwhile."""
    memory = learned(needs=1)
    for i, rate in enumerate(rates.tolist()):
        at = NOON - 15.0 * (len(rates) - i)
        gap = LatestGap(at=at, seconds=15.0, requests=rate / 2 * 15.0, pending_change=0.0)
        mean = float(rates[max(i - 3, 0) : i + 1].mean())
        seen = observation(seen=signals(mean, 2, sampled_at=at, latest=gap, failures=A_FAILURE))
        decided = decide(replace(snapshot(seen), at=at), memory_of(memory))
        memory = decided.memory.policies[key()]
    return memory


def test_a_decision_after_it_rests_on_the_same_record_as_one_that_had_watched() -> None:
    """Most of an hour through `decide` itself, at its own tick, against three minutes and the same past."""
    looks, tick = 220, 15.0
    numbers = np.arange(looks)
    rates = 100 + 50 * np.sin(2 * np.pi * numbers / 110)
    times = NOON - tick * (looks - numbers)
    old, new = watched(rates), watched(rates[-12:])
    seen = observation(seen=signals(float(rates[-1]), 2, failures=A_FAILURE))
    given = conditions(seen, new, snapshot())
    assert given is not None
    found = []
    for memory in (old, merged(new, teach(Taught(), given, times, rates))):
        decided = decide(snapshot(seen), memory_of(memory))
        assert isinstance(decided.plans[key()].headroom, HeadroomChoice)
        found.append(views(from_bytes(decided.memory.policies[key()].headroom)))
    one, other = found
    for number in (AGE, MEAN, DEMAND):
        assert other.numbers[number] == pytest.approx(one.numbers[number], rel=0.02)
    assert other.cost == pytest.approx(one.cost, rel=0.03)
    assert other.late == pytest.approx(one.late, abs=0.001 * one.numbers[DEMAND])


def test_a_step_of_the_days_before_is_provided_for_on_the_first_day() -> None:
    """Every day the load is threefold for two hours, from a minute from now on."""
    times = NOON - 15.0 * np.arange(3 * 5760, 0, -1)
    since = (times - NOON - 60) % 86_400
    rates = np.where(since < 7200, 300.0, 100.0)
    new = watched(np.full(12, 100.0))
    seen = observation(seen=signals(100.0, 2, failures=A_FAILURE))
    given = conditions(seen, new, snapshot())
    assert given is not None
    demands = []
    for memory in (new, merged(new, teach(Taught(), given, times, rates))):
        plan = decide(snapshot(seen), memory_of(memory)).plans[key()]
        assert not isinstance(plan.demand, Missing)
        demands.append(plan.demand.forecast)
    without, with_past = demands
    assert with_past > 1.4 * without
