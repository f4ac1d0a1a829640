"""What the same load would need with another setting of the server."""

from dataclasses import replace
from typing import Any

import pytest

from inference_cost.decide.advice import advice
from inference_cost.decide.explain.explanation import explain
from inference_cost.decide.latency.tables import Batching, Replica
from inference_cost.decide.replica.profile import Capability
from inference_cost.model.plan import Plan, Reason
from inference_cost.model.policy import LatencyObjective
from inference_cost.model.reading import Missing, MissingReason
from tests.unit.decide.worlds import CONFIGURATION, learned, observation, plan_of

DELAYED = Replica(
    alpha_seconds=0.0407,
    beta_seconds=0.00504,
    max_batch_size=8,
    batching=Batching.DELAYED,
    queue_delay_seconds=0.002,
)
TWO_BATCHES = LatencyObjective(threshold_seconds=2 * 0.081, target_fraction=0.99)
LONGER = replace(TWO_BATCHES, threshold_seconds=2.5 * 0.081)
NOT_LEARNED = Missing(reason=MissingReason.NOT_LEARNED)


def asked(replica: Replica | None, replicas: int = 10, lowest: int = 1) -> Reason | None:
    can = Capability(profile=NOT_LEARNED, replica=replica, learned=True)
    return advice(can, CONFIGURATION, TWO_BATCHES, replicas, lowest)


def test_without_its_queue_delay_the_fleet_would_be_about_half() -> None:
    """Largest loads of 0.34 and 0.64 of capacity by request-level simulation: 88 % more."""
    found = asked(DELAYED)
    assert found is not None
    assert found.code == "remove-queue-delay"
    values = dict(found.values)
    assert 60 <= int(values["percent"]) <= 110
    assert values["replicas"] in {4, 5}


def test_a_queue_policy_is_named_as_such() -> None:
    found = asked(replace(DELAYED, batching=Batching.STALLING))
    assert found is not None
    assert found.code == "remove-queue-policy"


def test_a_queue_delay_stays_when_a_queue_policy_goes() -> None:
    both = replace(CONFIGURATION, queue_policy=True, queue_delay_seconds=0.002)
    replica = replace(DELAYED, batching=Batching.STALLING)
    can = Capability(profile=NOT_LEARNED, replica=replica, learned=True)
    assert advice(can, both, LONGER, 10, 1) is None
    alone = replace(both, queue_delay_seconds=0.0)
    assert advice(can, alone, LONGER, 10, 1) is not None


def test_an_objective_that_only_the_delay_puts_out_of_reach() -> None:
    slow = replace(DELAYED, queue_delay_seconds=0.2)
    found = asked(slow)
    assert found == Reason(code="remove-queue-delay", values=(("reachable", 1),))


@pytest.mark.parametrize(
    ("why", "replica", "replicas", "lowest"),
    [
        ("greedy already", replace(DELAYED, batching=Batching.GREEDY), 10, 1),
        ("the mode is not known", replace(DELAYED, batching=Batching.UNKNOWN), 10, 1),
        ("latency is not modelled", None, 10, 1),
        ("one replica cannot become fewer", DELAYED, 1, 1),
        ("the minimum runs in any case", DELAYED, 10, 10),
    ],
)
def test_no_advice_where_nothing_is_gained(
    why: str, replica: Replica | None, replicas: int, lowest: int
) -> None:
    assert asked(replica, replicas, lowest) is None, why


def planned(delay: float = 0.0, **more: Any) -> tuple[Plan, str]:
    configuration = replace(CONFIGURATION, queue_delay_seconds=delay, **more)
    seen = observation(900.0, 6, configuration=configuration)
    plan = plan_of(seen, learned(needs=6))
    return plan, explain(plan, seen).findings


def test_the_advice_is_told_with_its_reason() -> None:
    _, told = planned(0.002)
    assert "Without max_queue_delay_microseconds" in told
    assert "fewer" in told
    assert "closes waiting batches early" in told
    assert planned(0.0)[1] == ""


def test_a_preferred_size_is_told_with_what_larger_batches_would_save() -> None:
    _, told = planned(preferred_batch_sizes=(4,))
    assert "ends each batch at its preferred size of 4" in told
    assert "Without preferred_batch_size" in told
    assert "fewer" in told
