"""Carries out scale orders: paced, re-checked, never on a view older than our own last write."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from inference_cost.act.errors import KubeError
from inference_cost.act.expectations import Expectations
from inference_cost.act.kube_api import KubeApi
from inference_cost.act.own_writes import overlay
from inference_cost.act.scale import (
    ScaleOrder,
    ScaleOutcome,
    ScaleResult,
    other_manager,
    write_scale,
)
from inference_cost.act.scale_orders import UnsoundPlanError, orders_of
from inference_cost.act.tick import Tick
from inference_cost.act.token_bucket import TokenBucket
from inference_cost.act.write_failures import pause_after
from inference_cost.model.observation import PolicyObservation, Snapshot
from inference_cost.model.plan import Plan
from inference_cost.model.policy import Policy, PolicyKey
from inference_cost.model.workload import Workload

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedOrder:
    """An order, and the plan and the policy it comes from."""

    plan: Plan
    policy: Policy
    order: ScaleOrder


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaled:
    """What became of one order."""

    plan: Plan
    result: ScaleResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A write that failed, and until when its target is left alone (monotonic seconds)."""

    error: KubeError
    until: float


class Scaler:
    """`still_wanted(policy)`: whether all that allows a write is, right now, as it was when decided on."""

    def __init__(
        self,
        api: KubeApi,
        *,
        per_second: float,
        still_wanted: Callable[[Policy], bool],
        monotonic: Callable[[], float],
    ) -> None:
        self._api = api
        self._bucket = TokenBucket(per_second=per_second, burst=2 * per_second)
        # Of their own: a removal waits for its turn to mark pods, and nothing else does.
        self._marks = TokenBucket(per_second=per_second, burst=2 * per_second)
        self._still_wanted = still_wanted
        self._monotonic = monotonic
        self._managers: dict[str, str] = {}
        self._refusals: dict[str, Refusal] = {}
        self._gone: set[str] = set()  # targets whose last write found no `/scale`
        self.expectations = Expectations()

    async def overlay(self, snapshot: Snapshot) -> Snapshot:
        """The snapshot with our own writes in it. Asks who undid one, when one was undone."""
        now = self._monotonic()
        laid = overlay(snapshot, self.expectations, self._managers, now=now)
        reverted = self.expectations.take_reverted()
        if reverted:
            await self._name_managers(snapshot, reverted)
        return laid

    async def scale(self, tick: Tick) -> tuple[Scaled, ...]:
        """Writes every order that may be written. A failure stays with its order."""
        observed = {seen.policy.key: seen for seen in tick.snapshot.observations}
        self._keep_only(observed)
        planned = [
            order
            for key, plan in tick.plans.items()
            for order in self._orders(tick.snapshot, plan, observed[key])
        ]
        self._forgive({p.order.uid for p in planned})
        due = [p for p in planned if self._may_write(p.order)]
        return tuple(await asyncio.gather(*map(self._carry_out, due)))

    def failure(self, seen: PolicyObservation) -> KubeError | None:
        """The refusal that keeps one of the policy's targets from being scaled, if any."""
        uids = (w.uid for w in seen.workloads if isinstance(w, Workload))
        return next((self._refusals[uid].error for uid in uids if uid in self._refusals), None)

    def _orders(
        self, snapshot: Snapshot, plan: Plan, seen: PolicyObservation
    ) -> list[PlannedOrder]:
        try:
            orders = orders_of(snapshot, plan, seen)
        except UnsoundPlanError as error:
            log.critical("unsound_plan", extra={"policy": str(plan.policy), "error": str(error)})
            return []
        if not self._still_wanted(seen.policy):
            return []
        return [PlannedOrder(plan=plan, policy=seen.policy, order=order) for order in orders]

    def _forgive(self, wanted: set[str]) -> None:
        """A refusal stands while it keeps a wanted write from being tried, no longer."""
        now = self._monotonic()
        self._refusals = {
            uid: kept for uid, kept in self._refusals.items() if uid in wanted and now < kept.until
        }

    def _may_write(self, order: ScaleOrder) -> bool:
        now = self._monotonic()
        waiting = order.uid in self._refusals
        pending = self.expectations.pending(order.uid, at=now) is not None
        if waiting or pending or (order.marks and self._marks.wait_seconds(now) > 0):
            return False
        return self._bucket.take(now) and (not order.marks or self._marks.take(now, order.marks))

    async def _carry_out(self, planned: PlannedOrder) -> Scaled:
        order = planned.order
        with self.expectations.writing(order.uid, order.desired):
            result = await write_scale(self._api, order, lambda: self._still_wanted(planned.policy))
            now = self._monotonic()
            if result.live is not None:
                self.expectations.see_live(order.uid, result.live, at=now)
            if result.outcome is ScaleOutcome.WRITTEN:
                self.expectations.wrote(
                    order.uid, replicas=order.desired, previous=order.current, at=now
                )
        self._note(order, result, now)
        log.info("scale", extra=_fields(planned, result))
        return Scaled(plan=planned.plan, result=result)

    def _note(self, order: ScaleOrder, result: ScaleResult, now: float) -> None:
        if result.outcome is ScaleOutcome.FAILED and result.error is not None:
            until = now + pause_after(result.error)
            self._refusals[order.uid] = Refusal(error=result.error, until=until)
        self._note_gone(order, result, now)

    def _note_gone(self, order: ScaleOrder, result: ScaleResult, now: float) -> None:
        """Once is a target being deleted. Again, while it is still seen: its `/scale` does not exist."""
        if result.outcome is not ScaleOutcome.TARGET_GONE or result.error is None:
            self._gone.discard(order.uid)
        elif order.uid in self._gone:
            until = now + pause_after(result.error)
            self._refusals[order.uid] = Refusal(error=result.error, until=until)
        else:
            self._gone.add(order.uid)

    async def _name_managers(self, snapshot: Snapshot, reverted: set[str]) -> None:
        for seen in snapshot.observations:
            for workload in seen.workloads:
                if isinstance(workload, Workload) and workload.uid in reverted:
                    await self._name_manager(seen.policy.key, workload)

    async def _name_manager(self, key: PolicyKey, workload: Workload) -> None:
        manager = await other_manager(
            self._api, key.namespace, workload.target, plural=workload.plural
        )
        self._managers[workload.uid] = manager
        target = str(workload.target)
        log.warning("reverted", extra={"policy": str(key), "target": target, "by": manager})

    def _keep_only(self, observed: Mapping[PolicyKey, PolicyObservation]) -> None:
        workloads = (w for seen in observed.values() for w in seen.workloads)
        uids = {w.uid for w in workloads if isinstance(w, Workload)}
        self.expectations.keep_only(uids)
        self._managers = {uid: name for uid, name in self._managers.items() if uid in uids}
        self._gone &= uids


def _fields(planned: PlannedOrder, result: ScaleResult) -> dict[str, object]:
    order = planned.order
    fields: dict[str, object] = {
        "policy": str(planned.plan.policy),
        "target": str(order.target),
        "from": order.current,
        "to": order.desired,
        "limited_by": planned.plan.limited_by.value,
        "outcome": result.outcome.value,
    }
    return fields | ({"error": result.error.message} if result.error else {})
