"""What one replica fewer would make late, what that counts like, and what it would save."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference_cost.decide.explain.explanation import explain
from inference_cost.decide.explain.one_fewer import why_not_fewer, worth
from inference_cost.decide.latency.loads import late_share
from inference_cost.decide.latency.tables import Batching, Replica
from inference_cost.decide.replica.profile import Capability
from inference_cost.decide.serving import late_among
from inference_cost.model.plan import (
    Demand,
    HeadroomChoice,
    HeadroomRule,
    LimitedBy,
    Plan,
    Prediction,
    Profile,
    ProfileSource,
)
from inference_cost.model.policy import LatencyObjective, QueueTimeObjective
from inference_cost.model.reading import Missing, MissingReason
from tests.unit.decide.worlds import OBJECTIVE, observation, plan_of, priced_node

REPLICA = Replica(
    alpha_seconds=0.04, beta_seconds=0.005, max_batch_size=8, batching=Batching.GREEDY
)
PROFILE = Profile(
    template_hash="v1",
    alpha_seconds=0.04,
    beta_seconds=0.005,
    max_batch_size=8,
    instances=1,
    load_per_replica=87.0,
    capacity_per_replica=100.0,
    error_fraction=0.05,
    source=ProfileSource.COUNTERS,
)
CAN = Capability(profile=PROFILE, replica=REPLICA, learned=True)


@given(st.integers(1, 50), st.floats(0.0, 1.0))
def test_late_among_is_what_the_latency_table_says(replicas: int, load: float) -> None:
    late = late_among(CAN, OBJECTIVE, load * replicas * 100.0, replicas)
    low, high = int(40 * load) / 40, min((int(40 * load) + 1) / 40, 1.0)
    assert isinstance(late, float)
    threshold = OBJECTIVE.threshold_seconds
    assert late_share(REPLICA, threshold, low) - 1e-9 <= late
    assert late <= late_share(REPLICA, threshold, high) + 1e-9


@pytest.mark.parametrize("load", [0.5, 0.8, 0.9, 0.95, 0.975])
def test_at_tabulated_loads_it_is_the_table(load: float) -> None:
    late = late_among(CAN, OBJECTIVE, 3 * load * 100.0, 3)
    assert late == pytest.approx(late_share(REPLICA, 0.3, load), rel=1e-6)


def test_beyond_capacity_all_are_late() -> None:
    assert late_among(CAN, OBJECTIVE, 250.0, 2) == 1.0


def test_a_model_that_was_seen_to_miss_counts_as_more_load() -> None:
    late = late_among(replace(CAN, stretch=1.1), OBJECTIVE, 3 * 80.0, 3)
    assert late == pytest.approx(late_share(REPLICA, 0.3, 0.88), rel=1e-6)


def test_what_the_balancer_adds_counts_as_less_load() -> None:
    late = late_among(replace(CAN, gains=(1.0, 1.1)), OBJECTIVE, 2 * 99.0, 2)
    assert late == pytest.approx(late_share(REPLICA, 0.3, 0.9), rel=1e-6)


UNKNOWN = {
    "outside of the model": (replace(CAN, replica=None), OBJECTIVE),
    "an objective out of reach": (replace(CAN, reachable=False), OBJECTIVE),
    "a queue time, which is a mean": (CAN, QueueTimeObjective(mean_seconds=0.03)),
    "no profile": (replace(CAN, profile=Missing(reason=MissingReason.NOT_LEARNED)), OBJECTIVE),
}


@pytest.mark.parametrize("case", UNKNOWN)
def test_late_among_is_missing_for(case: str) -> None:
    can, objective = UNKNOWN[case]
    assert isinstance(late_among(can, objective, 100.0, 2), Missing)


RULE = HeadroomRule(
    load_fraction=0.8, deviations=0.0, hold_seconds=600.0, late_fraction=0.006, cost=1.4
)
CHOICE = HeadroomChoice(
    followed=RULE,
    runner_up=RULE,
    less=None,
    rules=96,
    allowed_fraction=0.01,
    accepted_fraction=0.007,
    seen_seconds=2 * 86_400.0,
    filled_replicas=10.0,
    late_price_replica_seconds=0.6,
)


def plan_with(late: float, chosen: float = 0.001, seconds: float = 0.5) -> Plan:
    """100 requests/s; with 3 replicas so many are late, with 4 others."""
    plan = plan_of(observation(150.0, 4), nodes={"node-1": priced_node()})
    return replace(
        plan,
        demand=Demand(now=100.0, forecast=100.0, backlog=0.0),
        profile=PROFILE,
        headroom=CHOICE,
        prediction=Prediction(replicas=4, seconds=0.2, meets_objective=True, late_fraction=chosen),
        one_fewer=Prediction(
            replicas=3, seconds=seconds, meets_objective=seconds <= 0.3, late_fraction=late
        ),
    )


def test_the_price_is_that_of_the_record_in_money() -> None:
    """A replica-hour is $1.20: 0.6 replica-seconds are $0.0002. 100/s · 3,600 s · 2.3 % are 8,280 requests."""
    assert worth(plan_with(0.024)) == (
        "8,280 more requests per hour would be late than with 4 replicas: $1.66 at the $0.20 per 1,000 that the "
        "record of this load puts on late ones, to save $1.20 per hour."
    )


def test_late_requests_that_count_for_less_than_is_saved_are_not_told_as_the_cause() -> None:
    assert worth(plan_with(0.011)).endswith(
        "$0.72 at the $0.20 per 1,000 that the record of this load puts on late ones, to save $1.20 per hour. The "
        "objective decides, not the price."
    )


def test_where_the_highest_price_was_reached_the_objective_did_not_decide() -> None:
    later = replace(CHOICE, accepted_fraction=CHOICE.followed.late_fraction / 2)
    told = worth(replace(plan_with(0.011), headroom=later))
    assert told.endswith("to save $1.20 per hour. What days showed decides, not this moment.")


def test_a_replica_that_is_room_is_told_as_that() -> None:
    seen = observation(30.0, 2)
    plan = replace(
        plan_of(seen),
        limited_by=LimitedBy.NOTHING,
        headroom=CHOICE,
        one_fewer=Prediction(replicas=1, seconds=0.12, meets_objective=True),
    )
    assert explain(plan, seen).why_not_fewer == (
        "1 replica would do for the expected load (99 % of the requests would finish within 120 ms); what is above is "
        "room for what is not expected."
    )


WITHOUT = {
    "the record": (
        {"headroom": Missing(reason=MissingReason.NOT_LEARNED)},
        "8,280 more requests per hour would be late than with 4 replicas, to save $1.20 per hour.",
    ),
    "a price of a replica": (
        {"replica_price_per_hour": Missing(reason=MissingReason.PRICE_UNKNOWN)},
        "8,280 more requests per hour would be late than with 4 replicas.",
    ),
    "a demand": ({"demand": Missing(reason=MissingReason.STALE)}, ""),
    "a prediction": ({"prediction": Missing(reason=MissingReason.STALE)}, ""),
    "one fewer": ({"one_fewer": Missing(reason=MissingReason.STALE)}, ""),
}


@pytest.mark.parametrize("case", WITHOUT)
def test_worth_without(case: str) -> None:
    changes, text = WITHOUT[case]
    assert worth(replace(plan_with(0.024), **changes)) == text


NOTHING = {
    "all are late with either": plan_with(1.0, chosen=1.0),
    "one fewer meets the objective": plan_with(0.004, seconds=0.2),
    "less than a request": plan_with(0.0010001),
}


@pytest.mark.parametrize("case", NOTHING)
def test_nothing_is_worth_telling_where(case: str) -> None:
    assert worth(NOTHING[case]) == ""


WHY = {
    "clearly too many": (
        plan_with(0.024),
        "With 3 replicas 2.4 % of 100 requests/s would be late; 1 % may be.",
    ),
    "the margin decides": (
        plan_with(0.008),
        (
            "With 3 replicas 0.8 % of 100 requests/s would be late, too near the 1 % that may be: what one carries "
            "is known to 5 % only."
        ),
    ),
    "beyond capacity with the margin only": (
        plan_with(0.2, seconds=3600.0),
        "With 3 replicas 20 % of 100 requests/s would be late; 1 % may be.",
    ),
    "beyond capacity as it was seen to be": (
        plan_with(1.0, seconds=3600.0),
        "100 requests/s would be more than 3 replicas can do, and the queue would grow.",
    ),
    "beyond capacity": (
        replace(plan_with(1.0), demand=Demand(now=330.0, forecast=330.0, backlog=0.0)),
        "330 requests/s would be 110 % of what 3 replicas can do, and the queue would grow.",
    ),
}


@pytest.mark.parametrize("case", WHY)
def test_why_not_fewer(case: str) -> None:
    plan, text = WHY[case]
    assert why_not_fewer(plan, OBJECTIVE) == text


def test_the_share_told_is_that_of_the_table_at_the_expected_load() -> None:
    plan = plan_of(observation(180.0, 2), nodes={"node-1": priced_node("node-1", "2.00")})
    fewer, demand, profile = plan.one_fewer, plan.demand, plan.profile
    assert isinstance(fewer, Prediction)
    assert isinstance(demand, Demand)
    assert isinstance(profile, Profile)
    load = demand.forecast / fewer.replicas / profile.capacity_per_replica
    assert isinstance(fewer.late_fraction, float)
    objective = LatencyObjective(threshold_seconds=0.3, target_fraction=0.99)
    exact = late_share(REPLICA, objective.threshold_seconds, load)
    assert fewer.late_fraction == pytest.approx(exact, rel=0.25)  # straight between 41 loads
    assert "to save $2.00 per hour" in worth(plan)
    assert plan.replica_price_per_hour == Decimal("2.00")
