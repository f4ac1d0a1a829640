"""What another setting of the server would be worth, by the latency model: fewer replicas for the same load."""

from dataclasses import replace
from math import ceil
from typing import Final

from inference_cost.decide.latency import largest_load
from inference_cost.decide.latency_tables import Batching
from inference_cost.decide.profile import Capability
from inference_cost.decide.size import NEGLIGIBLE
from inference_cost.model.plan import Reason
from inference_cost.model.policy import DrainObjective, Objective

# An unknown way of batching is no reason to change a setting that may not be there.
_CODES: Final = {
    Batching.DELAYED: "remove-queue-delay",
    Batching.STALLING: "remove-queue-policy",
}


def advice(can: Capability, objective: Objective, replicas: int, lowest: int) -> Reason | None:
    """For a fleet of so many replicas, of which `lowest` run in any case; None where nothing would be gained.

    What several instances on one GPU reach together shows only when tried, so nothing is promised of them.
    """
    replica = can.replica
    code = None if replica is None else _CODES.get(replica.batching)
    if replica is None or code is None or isinstance(objective, DrainObjective):
        return None
    now = largest_load(replica, objective)
    greedy = largest_load(replace(replica, batching=Batching.GREEDY), objective)
    if not greedy.reachable:
        return None
    if not now.reachable:
        return Reason(code=code, values=(("reachable", 1),))
    more = greedy.per_second / now.per_second
    fewer = replicas - max(ceil(replicas / more - NEGLIGIBLE), lowest, 1)
    if fewer < 1:
        return None
    return Reason(code=code, values=(("replicas", fewer), ("percent", round(100 * (more - 1)))))
