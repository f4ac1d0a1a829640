"""What another setting of the server would be worth, by the latency model: fewer replicas for the same load."""

from dataclasses import replace
from math import ceil
from typing import Final, TypeGuard

from inference_cost.decide.headroom.shadow import NEGLIGIBLE
from inference_cost.decide.latency.loads import batching_of, largest_load
from inference_cost.decide.latency.tables import Batching, Replica
from inference_cost.decide.replica.profile import Capability
from inference_cost.model.plan import Reason
from inference_cost.model.policy import DrainObjective, Objective
from inference_cost.model.reading import Missing
from inference_cost.model.signals import ModelConfiguration

# An unknown way of batching is no reason to change a setting that may not be there.
_CODES: Final = {
    Batching.DELAYED: "remove-queue-delay",
    Batching.STALLING: "remove-queue-policy",
}


def advice(
    can: Capability,
    configuration: ModelConfiguration | Missing,
    objective: Objective,
    replicas: int,
    lowest: int,
) -> Reason | None:
    """For a fleet of so many replicas, of which `lowest` run in any case; None where nothing would be gained.

    What several instances on one GPU reach together shows only when tried, so nothing is promised of them.
    """
    if can.replica is None or isinstance(objective, DrainObjective):
        return None
    code, other = _other(can.replica, configuration)
    if not code:
        return None
    now, then = largest_load(can.replica, objective), largest_load(other, objective)
    if not then.reachable:
        return None
    if not now.reachable:
        return Reason(code=code, values=(("reachable", 1),))
    more = then.per_second / now.per_second
    fewer = replicas - max(ceil(replicas / more - NEGLIGIBLE), lowest, 1)
    if fewer < 1:
        return None
    return Reason(code=code, values=(("replicas", fewer), ("percent", round(100 * (more - 1)))))


def _other(replica: Replica, configuration: ModelConfiguration | Missing) -> tuple[str, Replica]:
    """The same without what costs most; "" where there is nothing of the kind."""
    code = _CODES.get(replica.batching, "")
    if code:
        return code, _without(replica, configuration)
    if has_smaller_batches(configuration):
        larger = replace(replica, max_batch_size=configuration.max_batch_size)
        return "remove-preferred-size", larger
    return "", replica


def _without(replica: Replica, configuration: ModelConfiguration | Missing) -> Replica:
    """A queue delay beside a queue policy stays when that goes."""
    if replica.batching is Batching.DELAYED or isinstance(configuration, Missing):
        return replace(replica, batching=Batching.GREEDY)
    return replace(replica, batching=batching_of(replace(configuration, queue_policy=False)))


def has_smaller_batches(
    configuration: ModelConfiguration | Missing,
) -> TypeGuard[ModelConfiguration]:
    """Than `max_batch_size` allows."""
    if isinstance(configuration, Missing):
        return False
    return configuration.largest_batch < configuration.max_batch_size
