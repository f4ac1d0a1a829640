"""The last check before a write: a plan that must not be written is never written, whatever led to it."""

from dataclasses import dataclass, field, replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference_cost.act.scale_orders import UnsoundPlanError, orders_of
from inference_cost.model.observation import PolicyObservation
from inference_cost.model.plan import Plan, Removal
from inference_cost.model.policy import Mode, Pause, Schedule
from inference_cost.model.workload import Conflict, ConflictKind
from tests.unit.act.worlds import observation, plan, snapshot, workload

HPA = Conflict(kind=ConflictKind.AUTOSCALER, other="HorizontalPodAutoscaler/resnet", message="")


@dataclass(frozen=True, kw_only=True)
class Refused:
    plan: Plan
    seen: PolicyObservation = field(default_factory=observation)
    enforce_enabled: bool = True


REFUSED = {
    "in Recommend": Refused(plan=plan(mode=Mode.RECOMMEND)),
    "while the global switch is off": Refused(plan=plan(), enforce_enabled=False),
    "beside another autoscaler": Refused(plan=plan(), seen=observation(conflict=HPA)),
    "above the maximum": Refused(plan=plan(desired=11)),
    "below the minimum": Refused(plan=plan(desired=1)),
    "negative": Refused(plan=plan(desired=-1)),
    "outside the bounds, and not what the pause asks for": Refused(
        plan=plan(desired=12), seen=observation(pause=Pause(source="policy", replicas=20))
    ),
}


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED.keys())
def test_no_write(case: Refused) -> None:
    with pytest.raises(UnsoundPlanError):
        orders_of(snapshot(case.seen, enforce_enabled=case.enforce_enabled), case.plan, case.seen)


def test_an_order_names_the_state_it_was_decided_on() -> None:
    seen = observation(replicas=3)
    (order,) = orders_of(snapshot(seen), plan(desired=5), seen)
    assert (order.uid, order.current, order.desired) == ("deployment-1", 3, 5)


def test_a_pause_may_hold_a_number_outside_the_bounds() -> None:
    seen = observation(pause=Pause(source="policy", replicas=0))
    (order,) = orders_of(snapshot(seen), plan(desired=0), seen)
    assert order.desired == 0


SCHEDULED = (
    Schedule(start="0 8 * * *", end="0 9 * * *", max_replicas=12),
    Schedule(start="0 20 * * *", end="0 22 * * *", min_replicas=0),
)


@pytest.mark.parametrize("desired", [0, 12])
def test_a_schedule_allows_what_the_policy_does_not(desired: int) -> None:
    seen = observation()
    seen = replace(seen, policy=replace(seen.policy, schedules=SCHEDULED))
    (order,) = orders_of(snapshot(seen), plan(desired=desired), seen)
    assert order.desired == desired


@pytest.mark.parametrize("desired", [-1, 13])
def test_nothing_allows_what_no_schedule_does(desired: int) -> None:
    seen = observation()
    seen = replace(seen, policy=replace(seen.policy, schedules=SCHEDULED))
    with pytest.raises(UnsoundPlanError):
        orders_of(snapshot(seen), plan(desired=desired), seen)


def test_nothing_is_written_when_the_replicas_are_already_right() -> None:
    seen = observation(replicas=5)
    assert orders_of(snapshot(seen), plan(desired=5, write=True), seen) == []
    assert orders_of(snapshot(seen), plan(current=5, desired=5), seen) == []


@given(desired=st.integers(-(2**40), 2**40), enabled=st.booleans(), mode=st.sampled_from(Mode))
def test_what_is_written_is_within_the_bounds_and_allowed(
    desired: int, enabled: bool, mode: Mode
) -> None:
    seen = observation(replicas=3)
    try:
        orders = orders_of(
            snapshot(seen, enforce_enabled=enabled), plan(desired=desired, mode=mode), seen
        )
    except UnsoundPlanError:
        return
    assert all(2 <= order.desired <= 10 for order in orders)
    assert not orders or (enabled and mode is Mode.ENFORCE)


def test_an_order_names_the_plural_of_its_target() -> None:
    seen = observation()
    named = replace(seen, workloads=(replace(workload(), plural="proxies"),))
    (order,) = orders_of(snapshot(named), plan(), named)
    assert order.plural == "proxies"


def test_an_order_names_the_pods_that_are_to_go_first() -> None:
    decided = plan(current=5, desired=3)
    removal = Removal(nodes=("gpu-1",), per_hour=Decimal(1), pods=("p2", "p1"), outdated=("p4",))
    (one,) = decided.variants
    decided = replace(decided, variants=(replace(one, removal=removal),))
    seen = observation(replicas=5)
    (order,) = orders_of(snapshot(seen), decided, seen)
    assert (order.first, order.outdated) == (("p2", "p1"), ("p4",))
