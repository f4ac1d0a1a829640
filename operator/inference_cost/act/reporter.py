"""Says what was decided and done: statuses, Events, and the checkpoint of what was learned."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from inference_cost.act.checkpoint_payload import Learned
from inference_cost.act.checkpoints import Checkpoints
from inference_cost.act.errors import FencedOffError
from inference_cost.act.events import EventRecorder
from inference_cost.act.kube_api import Json
from inference_cost.act.scale import ScaleOutcome
from inference_cost.act.scaler import Scaled, Scaler
from inference_cost.act.status import render_refused, render_status
from inference_cost.act.status_writer import StatusWriter
from inference_cost.act.tick import Tick
from inference_cost.act.transitions import EventDraft, Known, settled, transitions
from inference_cost.act.write_failures import not_ready
from inference_cost.api.events import EventReason
from inference_cost.decide.explain.room import take_over
from inference_cost.model.observation import PolicyObservation
from inference_cost.model.policy import PolicyKey

log = logging.getLogger(__name__)

Statuses = Mapping[PolicyKey, Json]


class Reporter:
    """`stored_status` gives a policy's status as the cluster cache knows it."""

    def __init__(
        self,
        *,
        statuses: StatusWriter,
        recorder: EventRecorder,
        checkpoints: Checkpoints,
        stored_status: Callable[[PolicyKey], Mapping[str, Any]],
        currency: str,
    ) -> None:
        self._statuses = statuses
        self._recorder = recorder
        self._checkpoints = checkpoints
        self._stored_status = stored_status
        self._currency = currency
        self._said: dict[PolicyKey, Mapping[str, Any]] = {}
        self._known: dict[PolicyKey, Known] = {}

    def report(self, tick: Tick, scaler: Scaler, scaled: tuple[Scaled, ...]) -> Statuses:
        """Queues what is new. Returns every policy's status as it should read now."""
        self._forget_gone(tick)
        statuses: dict[PolicyKey, Json] = {}
        for key, render in self._renderers(tick, scaler):
            try:
                statuses[key] = self._say(key, render(self._previous(key)), tick.snapshot.at)
            except Exception:
                log.exception("status_failed", extra={"policy": str(key)})
        for one in scaled:
            self._tell_scaled(one, statuses.get(one.plan.policy, {}))
        self._tell_taken_over(tick)
        self._keep_learned(tick)
        return statuses

    def _renderers(
        self, tick: Tick, scaler: Scaler
    ) -> list[tuple[PolicyKey, Callable[[Mapping[str, Any]], Json]]]:
        at = tick.snapshot.at
        refused = [
            (r.key, lambda previous, r=r: render_refused(r, at=at, previous=previous))
            for r in tick.snapshot.refusals
        ]
        seen = [
            (o.policy.key, lambda previous, o=o: self._status(tick, o, scaler, previous))
            for o in tick.snapshot.observations
        ]
        return [*refused, *seen]

    def _status(
        self, tick: Tick, seen: PolicyObservation, scaler: Scaler, previous: Mapping[str, Any]
    ) -> Json:
        key, snapshot = seen.policy.key, tick.snapshot
        status = render_status(
            seen,
            tick.plans.get(key),
            tick.costs.policies.get(key) if tick.costs else None,
            at=snapshot.at,
            previous=previous,
            currency=self._currency,
            settings=snapshot.settings,
        )
        failure = scaler.failure(seen)
        return status if failure is None else not_ready(status, failure, previous, at=snapshot.at)

    def _previous(self, key: PolicyKey) -> Mapping[str, Any]:
        """What was said last: times of what did not change are taken from it, also while a write waits."""
        return self._said.get(key) or self._statuses.stored(key, self._stored_status(key))

    def _say(self, key: PolicyKey, status: Json, at: float) -> Json:
        previous = self._previous(key)
        self._said[key] = status
        self._statuses.offer(key, status, seen=self._stored_status(key))
        known = self._known.get(key) or settled({}, previous)
        self._known[key] = settled(known, status)
        for draft in transitions(previous, status, known):
            self._recorder.record(key, draft, at=at)
            log.info("transition", extra={"policy": str(key), "reason": draft.reason.value})
        _log_decision(key, previous.get("decision") or {}, status.get("decision") or {})
        return status

    def _tell_scaled(self, scaled: Scaled, status: Json) -> None:
        result, plan = scaled.result, scaled.plan
        draft = _scale_event(scaled, str((status.get("decision") or {}).get("message", "")))
        if draft is not None:
            self._recorder.record(plan.policy, draft, at=plan.at, related=result.order.target)

    def _tell_taken_over(self, tick: Tick) -> None:
        for key, plan in tick.plans.items():
            note = take_over(plan)
            if note:
                draft = EventDraft(
                    reason=EventReason.HEADROOM_RULE_CHANGED, action="Decide", note=note
                )
                self._recorder.record(key, draft, at=plan.at)

    def _keep_learned(self, tick: Tick) -> None:
        for key, memory in tick.memory.policies.items():
            if key in tick.policies:
                learned = Learned(memory=memory, account=tick.account.get(key))
                self._checkpoints.offer(key, learned)

    def _forget_gone(self, tick: Tick) -> None:
        for key in self._said.keys() - tick.policies:
            del self._said[key]
            self._known.pop(key, None)
            self._statuses.forget(key)
            self._recorder.forget(key)
            self._checkpoints.forget(key)
            log.info("policy_gone", extra={"policy": str(key)})


def _log_decision(key: PolicyKey, before: Mapping[str, Any], decision: Mapping[str, Any]) -> None:
    """One line for each decision that changes something."""
    names = ("action", "desiredReplicas", "limitedBy")
    if any(decision.get(name) != before.get(name) for name in names):
        shown = {name: decision[name] for name in names if name in decision}
        fields = {"policy": str(key), **shown, "why": decision.get("message", "")}
        log.info("decision", extra=fields)


def _scale_event(scaled: Scaled, why: str) -> EventDraft | None:
    order, outcome, error = scaled.result.order, scaled.result.outcome, scaled.result.error
    change = f"{order.target}: {order.current} to {order.desired} replicas."
    if outcome is ScaleOutcome.WRITTEN:
        out = order.desired > order.current
        reason = EventReason.SCALED_OUT if out else EventReason.SCALED_IN
        return EventDraft(reason=reason, action="Scale", note=f"{change} {why}".strip())
    if outcome is ScaleOutcome.FAILED and not isinstance(error, FencedOffError):
        note = f"{change} {error.message if error else ''}".strip()
        return EventDraft(reason=EventReason.SCALE_FAILED, action="Scale", note=note, warning=True)
    return None
