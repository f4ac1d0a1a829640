"""A fleet of several kinds of replicas: each kind is learned by itself, and all are sized as the slowest."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from inference_cost.decide.latency.routing import NO_GAIN
from inference_cost.decide.replica.kinds import names
from inference_cost.decide.replica.profile import Capability
from inference_cost.model.memory import ServiceTimeEstimate
from inference_cost.model.policy import Routing
from inference_cost.model.profile_key import ProfileKey
from inference_cost.model.reading import Missing

ALIKE: Final = 0.9  # of what the fastest carries: within what is known
UNLIKE = "the replicas are not alike"


def of_all(
    found: Mapping[ProfileKey, Capability],
    estimates: tuple[ServiceTimeEstimate, ...],
    routing: Routing,
) -> Capability:
    """What one of them carries, as a Service gives each as much as any other.

    A kind that has not been timed yet is no reason to size all on a guess, but one to remove nothing. `estimates`: of
    kinds of which something was learned.
    """
    if len(found) == 1:
        return next(iter(found.values()))
    begun = {one.key for one in estimates}
    candidates = {key: one for key, one in found.items() if one.learned or key in begun} or found
    slowest = min(candidates, key=lambda key: _load(candidates[key]))
    learned = all(one.learned for one in found.values())
    if _alike(found):  # always the same one: what is compared with it would begin anew
        return replace(found[min(candidates, key=str)], learned=learned)
    others = sorted(found.keys() - {slowest}, key=str)
    return replace(
        found[slowest],
        learned=learned,
        gains=NO_GAIN,
        unbalanced="" if routing is Routing.EQUAL else found[slowest].unbalanced or UNLIKE,
        kinds=names((slowest, *others)),
    )


def _alike(found: Mapping[ProfileKey, Capability]) -> bool:
    """Variants of one workload: they differ in where they run, and take as long."""
    if len({(key.gpu_product, key.model_version) for key in found}) > 1:
        return False
    loads = [_load(can) for can in found.values() if can.learned]
    return not loads or min(loads) >= ALIKE * max(loads)


def _load(can: Capability) -> float:
    return float("inf") if isinstance(can.profile, Missing) else can.profile.load_per_replica
