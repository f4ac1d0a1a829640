"""From plans to `/scale` orders: the last check before a write. Pure."""

from collections.abc import Iterator

from inference_cost.act.scale import ScaleOrder
from inference_cost.decide.schedule import widest
from inference_cost.model.observation import PolicyObservation, Snapshot
from inference_cost.model.plan import Plan, VariantPlan
from inference_cost.model.policy import Mode, Policy, Variant
from inference_cost.model.workload import Workload


class UnsoundPlanError(Exception):
    """A plan that must not be written, whatever led to it: an error of ours leaves replicas as they are."""


def orders_of(snapshot: Snapshot, plan: Plan, seen: PolicyObservation) -> list[ScaleOrder]:
    """What to write for one plan.

    Raises:
        UnsoundPlanError: the plan asks for a write that nothing allows.
    """
    if not plan.write:
        return []
    if not snapshot.enforce_enabled or plan.mode is not Mode.ENFORCE or seen.conflict is not None:
        raise UnsoundPlanError("a write was planned where none is allowed")
    return list(_orders(plan, seen))


def _orders(plan: Plan, seen: PolicyObservation) -> Iterator[ScaleOrder]:
    variants = {v.name: (v, w) for v, w in zip(seen.policy.variants, seen.workloads, strict=True)}
    paused = seen.policy.pause is not None
    if len(variants) > 1:
        _check_total(plan, seen.policy)
    for wanted in plan.variants:
        variant, workload = variants[wanted.variant]
        if not isinstance(workload, Workload) or wanted.desired == workload.desired_replicas:
            continue
        if len(variants) == 1:
            _check_bounds(variant, wanted, seen)
        elif (
            not paused
            and not 0 <= wanted.desired <= variant.max_replicas + workload.desired_replicas
        ):
            raise UnsoundPlanError(f"{wanted.desired} replicas of variant {variant.name}")
        removal = wanted.removal
        yield ScaleOrder(
            namespace=plan.policy.namespace,
            target=wanted.target,
            uid=workload.uid,
            current=workload.desired_replicas,
            desired=wanted.desired,
            plural=workload.plural,
            first=() if removal is None else removal.pods,
            outdated=() if removal is None else removal.outdated,
        )


def _check_total(plan: Plan, policy: Policy) -> None:
    """Never fewer than the policy's minimum, unless there is nowhere room for them; but for a pause."""
    if policy.pause is not None:
        return
    total, fewest = sum(wanted.desired for wanted in plan.variants), widest(policy)[0]
    if total < min(fewest, plan.ready):
        raise UnsoundPlanError(f"{total} replicas in all are fewer than {fewest}")


def _check_bounds(variant: Variant, wanted: VariantPlan, seen: PolicyObservation) -> None:
    """Within what is ever allowed, or the number that a pause asks for; fewer only where there are fewer now."""
    pause = seen.policy.pause
    if pause is not None and pause.replicas == wanted.desired:
        return
    fewest, most = widest(seen.policy)
    lowest, highest = min(variant.min_replicas, fewest), max(variant.max_replicas, most)
    if not min(lowest, wanted.current) <= wanted.desired <= highest:
        raise UnsoundPlanError(f"{wanted.desired} replicas are outside {lowest} to {highest}")
