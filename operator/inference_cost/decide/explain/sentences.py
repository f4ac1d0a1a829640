"""One sentence per reason code and per limit. A code without a sentence is an error in a test."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from inference_cost.api.annotations import PAUSED, PAUSED_REPLICAS
from inference_cost.decide.explain import mix_sentences
from inference_cost.decide.explain.words import (
    clock,
    count,
    duration,
    money_per_day,
    percent,
    rate,
    seconds,
    wait,
)
from inference_cost.decide.place import bounds
from inference_cost.model.observation import PolicyObservation
from inference_cost.model.plan import LimitedBy, Plan, Reason
from inference_cost.model.policy import QueueTimeObjective
from inference_cost.model.reading import Missing

Sentence = Callable[[Plan, PolicyObservation], str]
Values = Mapping[str, Any]


def reason_sentence(reason: Reason, plan: Plan, observation: PolicyObservation) -> str:
    values = dict(reason.values)
    return _REASONS[reason.code](values, plan, observation)


def _no_metrics(values: Values, plan: Plan, _: PolicyObservation) -> str:
    why = f" ({values['detail']})" if values.get("detail") else ""
    if plan.desired > plan.current:
        return f"Metrics are not available{why}; the minimum of {plan.desired} is kept."
    return f"Metrics are not available{why}, so nothing is removed or added."


def _fallback(_: Values, __: Plan, observation: PolicyObservation) -> str:
    fallback = observation.policy.fallback
    named = f" {fallback.behavior.value}" if fallback is not None else ""
    return f"Metrics stayed away, so spec.fallback{named} decides."


def _conflict(_: Values, __: Plan, observation: PolicyObservation) -> str:
    conflict = observation.conflict
    other = conflict.other if conflict is not None else "another writer"
    return f"Nothing is written: {other} also sets these replicas."


def _paused(values: Values, plan: Plan, observation: PolicyObservation) -> str:
    where = "the namespace" if values.get("source") == "namespace" else "the policy"
    pause = observation.policy.pause
    if pause is None or pause.replicas is None:
        return f"Paused by the annotation {PAUSED} on {where}."
    fixed = count(plan.desired, "replica")
    return f"Paused at {fixed} by the annotation {PAUSED_REPLICAS} on {where}."


def _stuck(values: Values, _: Plan, __: PolicyObservation) -> str:
    pods = count(int(values["pods"]), "pod")
    return f"{pods} cannot start ({values['trouble']}), so no more are asked for."


def _replaced(values: Values, _: Plan, __: PolicyObservation) -> str:
    pods = count(int(values["pods"]), "pod")
    return f"{pods} cannot start ({values['trouble']}) while others do, and are counted as missing."


def _leaving(values: Values, _: Plan, __: PolicyObservation) -> str:
    pods = int(values["pods"])
    each = f"{count(pods, 'pod')} {'runs' if pods == 1 else 'run'} on nodes that are about to go"
    return f"{each} (node {values['node']}: {values['why']}), and {'is' if pods == 1 else 'are'} replaced ahead."


def _slow_pods(values: Values, _: Plan, __: PolicyObservation) -> str:
    others, less = int(values["further"]), int(values["percent"])
    too = f"; {count(others, 'other')} clearly longer, too" if others else ""
    given = f", and each replica is given {less} % less so that it keeps up" if less else ""
    return (
        f"Pod {values['pod']} takes {values['times']} times as long per batch as its siblings{too}. Nothing is learned "
        f"from it, and it counts for the share that it serves{given}; if it stays so, delete it."
    )


def _late(values: Values, _: Plan, observation: PolicyObservation) -> str:
    """Of a mean: the share by which it is too long."""
    late = int(values["percent"])
    if isinstance(observation.policy.objective, QueueTimeObjective):
        times = 100 / max(100 - late, 1)
        return f"The mean queue time is now {times:.1f} times the objective, so nothing is removed."
    return f"{late} % of the newest requests were too late, so nothing is removed."


def _behavior(values: Values, _: Plan, __: PolicyObservation) -> str:
    return f"spec.behavior holds it back from {values['wanted']}."


def _without(setting: str, because: str) -> Callable[[Values, Plan, PolicyObservation], str]:
    def sentence(values: Values, plan: Plan, _: PolicyObservation) -> str:
        if "reachable" in values:
            return f"Without {setting} the objective could be met: {because}."
        fewer = int(values["replicas"])
        saved = f"{count(fewer, 'replica')} fewer"
        if not isinstance(plan.replica_price_per_hour, Missing):
            saved += f", {money_per_day(plan.replica_price_per_hour * fewer)} less"
        more = f"each replica would carry {values['percent']} % more within the objective"
        return f"Without {setting} {more} ({saved}): {because}."

    return sentence


def _schedule(values: Values, _: Plan, __: PolicyObservation) -> str:
    replicas = count(int(values["replicas"]), "replica")
    return f"Schedule '{values['name']}' asks for {values['bound']} {replicas}."


def _schedule_begins(values: Values, _: Plan, __: PolicyObservation) -> str:
    time, replicas = duration(values["seconds"]), count(int(values["replicas"]), "replica")
    return f"Schedule '{values['name']}' opens in {time}: at least {replicas} must serve by then."


def _schedule_ends(values: Values, _: Plan, __: PolicyObservation) -> str:
    time, replicas = duration(values["seconds"]), count(int(values["replicas"]), "replica")
    return f"Schedule '{values['name']}' ends in {time}: at least {replicas} must serve by then."


def _asleep(values: Values, _: Plan, __: PolicyObservation) -> str:
    """The price of zero."""
    wait = f"the first request will wait about {duration(values['wait'])} for a replica"
    if "per_hour" not in values:
        return f"Nobody asks, so no replica runs: {wait}; what that saves is not known without a price."
    saved = money_per_day(Decimal(str(values["per_hour"])))
    return f"Nobody asks, so no replica runs: {wait}, and {saved} is saved."


def keeps_one_unseen(plan: Plan) -> bool:
    """Whether the decision is limited by this: no gateway would tell of requests that no replica can take."""
    codes = {reason.code for reason in plan.reasons}
    return plan.limited_by is LimitedBy.MIN_REPLICAS and "zero-unseen" in codes


def _zero_unseen(values: Values, _: Plan, observation: PolicyObservation) -> str:
    """Details of the metrics' side say what to do about it."""
    by_spec = not bounds(observation.policy)[0]
    zero = "minReplicas is 0" if by_spec else "A schedule has minReplicas 0 now"
    why = values.get("detail") or "set gateway.preset in the operator's values"
    return (
        f"{zero}, but one replica stays, because no gateway tells of requests that no replica can take: "
        f"{why}."
    )


def _draining(values: Values, _: Plan, __: PolicyObservation) -> str:
    number = int(values["replicas"])
    finish = "finishes" if number == 1 else "finish"
    seconds, within = float(values["seconds"]), float(values["within"])
    kept = "within" if seconds <= within else "later than"
    return (
        f"{values['waiting']:,} waiting, {count(number, 'replica')} {finish} in {wait(seconds)}, "
        f"{kept} the {wait(within)} asked."
    )


def _shorter_than_a_start(values: Values, _: Plan, __: PolicyObservation) -> str:
    return (
        f"The {wait(float(values['within']))} asked are shorter than the {wait(float(values['start']))} until "
        "a replica ordered now serves, so only those that already run can meet them: enough for the mean load are kept."
    )


def _past_the_deadline(values: Values, _: Plan, __: PolicyObservation) -> str:
    return (
        f"Some of it waits longer than the {wait(float(values['within']))} asked, whatever is ordered now; "
        "the rest is not to."
    )


def _calibrated(values: Values, _: Plan, __: PolicyObservation) -> str:
    beyond = int(values["percent"])
    if beyond > 0:
        return (
            f"Beyond its margin, requests take as long as the latency model says of a load {beyond} % higher; "
            "one replica is taken to carry less by as much."
        )
    return (
        f"The gateway sees no more late requests than the latency model says of a load {-beyond} % lower; one replica "
        "is taken to carry more by as much."
    )


def _inaccurate(values: Values, _: Plan, __: PolicyObservation) -> str:
    if values["measure"] == "queue":
        observed, predicted = (
            seconds(float(values["observed"])),
            seconds(float(values["predicted"])),
        )
        told = f"Requests wait {observed} in Triton's queue where the model says {predicted}"
    else:
        observed, predicted = (
            percent(float(values["observed"])),
            percent(float(values["predicted"])),
        )
        told = f"{observed} of the requests are late where the model says {predicted}"
    return f"{told}, at the loads that were seen; nothing is removed while it is wrong."


def _shared(values: Values, _: Plan, __: PolicyObservation) -> str:
    """Of a pod's time; above 100 % where executions overlap."""
    told = (
        f"Latency is not predicted because {values['why']}; executions take {values['now']} % of a pod's time, "
        "whichever model they are of"
    )
    if not values["held"]:
        return (
            f"{told}, and a load at which the objective holds for each of them is yet to be seen."
        )
    return f"{told}, and took {values['held']} % at the largest load at which the objective held for each of them."


def _warm_start(values: Values, _: Plan, observation: PolicyObservation) -> str:
    several = len(observation.policy.variants) > 1
    where = "Where it would ask for more replicas the pool" if several else "Its pool"
    return (
        f"{where} keeps nodes ready, on which a replica starts in {wait(float(values['warm']))} in place of "
        f"{wait(float(values['cold']))}: it needs less room of its own."
    )


def _minimum(plan: Plan, observation: PolicyObservation) -> str:
    """That of the spec, but where one of 0 holds: then the reason tells what keeps a replica."""
    if keeps_one_unseen(plan):
        return ""
    return f"minReplicas is {bounds(observation.policy)[0]}."


def _maximum(plan: Plan, observation: PolicyObservation) -> str:
    highest = bounds(observation.policy)[1]
    needed = sum(variant.needed for variant in plan.variants)
    if needed > highest:
        return f"{needed} would be needed, but maxReplicas is {highest}."
    return f"maxReplicas is {highest}."


def _suspected_outage(values: Values, plan: Plan, _: PolicyObservation) -> str:
    usual = values.get("usual")
    although = f" although {rate(usual)} are usual at this time of day" if usual else ""
    held = count(plan.desired, "replica")
    return (
        f"Requests fell from {rate(values['before'])} to nearly none within a minute{although}: suspected outage "
        f"upstream, holding {held} until {clock(values['until'])}."
    )


_REASONS: Final[Mapping[str, Callable[[Values, Plan, PolicyObservation], str]]] = {
    "no-target": lambda v, _p, _o: str(v["message"]),
    "no-metrics": _no_metrics,
    "fallback": _fallback,
    "conflict": _conflict,
    "paused": _paused,
    "rollout": lambda _v, _p, _o: "A rollout is in progress; nothing is removed meanwhile.",
    "partial-metrics": lambda v, _p, _o: (
        f"Only {v['percent']} % of the ready pods report metrics, so nothing is removed."
    ),
    "learning": lambda _v, _p, _o: (
        "What one replica can carry is still being learned, so nothing is removed."
    ),
    "configuration-unread": lambda _v, _p, _o: (
        "The models' configuration is being read for the first time, so nothing is added until the next look."
    ),
    "busy-gpu": lambda v, _p, _o: (
        f"The GPUs are {v['percent']} % busy; above {v['usual']} % nothing is removed."
    ),
    "model-inaccurate": _inaccurate,
    "late": _late,
    "warming": lambda v, _p, _o: (
        f"{count(int(v['pods']), 'pod')} became ready only just now; nothing is removed until it shows in the metrics."
    ),
    "not-yet-in": lambda _v, _p, _o: (
        "Replicas go only when the lower need has lasted, because starting one again takes time."
    ),
    "suspected-outage": _suspected_outage,
    "behavior": _behavior,
    "schedule": _schedule,
    "schedule-begins": _schedule_begins,
    "schedule-ends": _schedule_ends,
    "asleep": _asleep,
    "woken": lambda v, _p, _o: (
        f"Requests come and no replica is ready; one takes about {duration(v['wait'])} to start."
    ),
    "not-yet-zero": lambda v, _p, _o: (
        f"Nobody has asked for {duration(v['seconds'])}; the last replica goes after {duration(v['due'])}."
    ),
    "expected-soon": lambda v, _p, _o: (
        "Nobody asks, but on the days before requests came at this time of the day, within the "
        f"{duration(v['seconds'])} that a replica takes to start; so the last one stays."
    ),
    "zero-unseen": _zero_unseen,
    "refused": lambda v, _p, _o: f"Kubernetes refuses new pods: {v['message']}",
    "stuck": _stuck,
    "replaced": _replaced,
    "leaving": _leaving,
    "slow-pods": _slow_pods,
    "outside-model": lambda v, _p, _o: (
        f"Latency is not predicted because {v['why']}; "
        "sized on the largest load seen while the objective held."
    ),
    "shared-pods": _shared,
    "mixed-fleet": lambda v, _p, _o: (
        f"Replicas of several kinds get the same load ({v['slowest']}; {v['others']}); each kind is timed by itself, "
        f"and all are sized as {v['slowest']}, which carries least."
    ),
    "objective-unreachable": lambda _v, _p, _o: (
        "Even an idle replica is too slow for the objective; more replicas do not help."
    ),
    "unknown-batching": lambda _v, _p, _o: (
        "Triton's model configuration could not be read, so batching is taken as the slower kind and the largest "
        "batch as the largest mean seen; let the operator reach Triton's HTTP port to need fewer replicas."
    ),
    "calibrated": _calibrated,
    "uneven": lambda v, _p, _o: (
        f"Requests are spread unevenly: {v['pods']} pods carry what {v['effective']} would if loaded alike, so each is "
        "given less."
    ),
    "mix-unpriced": lambda v, _p, _o: (
        f"What a replica of {v['variants']} costs is not known, so none is moved to save money; set poolRef to a "
        "CapacityPool with offerings."
    ),
    **mix_sentences.SENTENCES,
    "warm-start": _warm_start,
    "idle-pods": lambda v, _p, _o: (
        f"{v['wanted']} replicas would be needed, but none are added: {v['idle']} of {v['pods']} pods get no requests."
    ),
    "evened-out": lambda v, _p, _o: (
        f"The load balancer evens out {v['replicas']} replicas: each carries {v['percent']} % more than "
        "with requests spread at random."
    ),
    "not-evened-out": lambda v, _p, _o: (
        f"spec.routing LeastRequest is not counted on because {v['why']}."
    ),
    "remove-queue-delay": _without(
        "max_queue_delay_microseconds",
        "with a queue delay Triton closes waiting batches early, and under load it batches without one too",
    ),
    "remove-queue-policy": _without(
        "a queue policy (max_queue_size, timeouts, priority_levels)",
        "with one Triton leaves the GPU idle after some of the batches although requests wait",
    ),
    "remove-preferred-size": _without(
        "preferred_batch_size", "batches could then be as large as max_batch_size"
    ),
    "preferred-size": lambda v, _p, _o: (
        f"Without a queue delay Triton ends each batch at its preferred size of {v['size']}, so none of up to "
        f"{v['largest']} form."
    ),
    "upgrade-hold": lambda _v, _p, _o: (
        "The operator was upgraded just now; nothing is removed for some minutes."
    ),
    "fleet-freeze": lambda v, _p, _o: (
        f"Many policies ask for far fewer replicas at once; removals stop until {clock(v['until'])}."
    ),
    "draining": _draining,
    "shorter-than-a-start": _shorter_than_a_start,
    "past-the-deadline": _past_the_deadline,
    "gpu-signal": lambda v, _p, _o: (
        f"Following GPU utilization, as the policy asks: {v['percent']} % busy, {v['target']} % wanted."
    ),
    "gpu-signal-missing": lambda v, _p, _o: (
        f"GPU utilization, which the policy asks to follow, is missing ({v['why']}), so nothing is added or removed."
    ),
    "fleet-limit": lambda v, _p, _o: (
        f"Removals over all policies are limited; it would go down to {v['wanted']}."
    ),
    "internal-error": lambda v, _p, _o: (
        f"The decision failed ({v['error']}), so replicas are left as they are; please report it."
    ),
}

LIMITS: Final[Mapping[LimitedBy, Sentence]] = {
    limit: lambda _plan, _observation: "" for limit in LimitedBy
} | {LimitedBy.MIN_REPLICAS: _minimum, LimitedBy.MAX_REPLICAS: _maximum}

# About the model or its server rather than about this decision.
FINDINGS: Final = frozenset(
    {
        "replaced",
        "leaving",
        "slow-pods",
        "outside-model",
        "shared-pods",
        "mixed-fleet",
        "objective-unreachable",
        "unknown-batching",
        "evened-out",
        "not-evened-out",
        "remove-queue-delay",
        "remove-queue-policy",
        "remove-preferred-size",
        "preferred-size",
        "zero-unseen",
        "shorter-than-a-start",
        "calibrated",
        "uneven",
    }
)
REASON_CODES: Final = frozenset(_REASONS)
