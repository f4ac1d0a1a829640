"""How many replicas the expected demand needs, and what latency to expect with a given number."""

from dataclasses import replace
from math import ceil
from typing import Final

from inference_cost.decide.headroom.shadow import MOST_REPLICAS, NEGLIGIBLE
from inference_cost.decide.latency.loads import seconds_at, threshold_seconds
from inference_cost.decide.latency.routing import NO_GAIN, Gains, gain, under_random_routing
from inference_cost.decide.replica.profile import Capability
from inference_cost.model.plan import Demand, Prediction, Profile
from inference_cost.model.policy import ServiceObjective
from inference_cost.model.reading import Missing, MissingReason

NOT_RECKONED: Final = Missing(reason=MissingReason.NOT_LEARNED)


def replicas_for(rate: float, per_replica: float, gains: Gains = NO_GAIN) -> int:
    """Fewest that carry the rate, where each among n carries `per_replica` times its gain."""
    if rate <= 0 or per_replica <= 0:
        return 0
    alone = min(rate / per_replica, MOST_REPLICAS)
    fewest = ceil(alone / gains[-1] - NEGLIGIBLE)
    while fewest < alone / gain(gains, fewest) - NEGLIGIBLE:
        fewest += 1
    return min(fewest, MOST_REPLICAS)


def profile_among(capability: Capability, replicas: int) -> Profile | Missing:
    """The profile with the load that one of so many replicas carries."""
    profile = capability.profile
    if isinstance(profile, Missing):
        return profile
    more = gain(capability.gains, replicas)
    if more == 1.0:
        return profile
    return replace(profile, load_per_replica=profile.load_per_replica * more)


def predict(
    capability: Capability,
    objective: ServiceObjective,
    demand: Demand | Missing,
    replicas: int,
    *,
    late: float | Missing = NOT_RECKONED,
) -> Prediction | Missing:
    """The objective's percentile at the forecast demand spread over `replicas`. `late`: share of the requests then."""
    profile, replica = capability.profile, capability.replica
    if isinstance(demand, Missing):
        return demand
    if isinstance(profile, Missing):
        return profile
    if replicas < 1:
        return Missing(reason=MissingReason.NO_READY_PODS)
    if replica is None:
        return Missing(reason=MissingReason.NOT_LEARNED, detail=capability.outside)
    # One pod seen as one cautious instance at the same share of capacity.
    scale = (1 + profile.error_fraction) * replica.capacity / profile.capacity_per_replica
    load = demand.forecast / replicas * scale * capability.stretch
    if capability.gains != NO_GAIN:
        load = under_random_routing(replica, objective, load, replicas)
    seconds = seconds_at(replica, objective, load)
    return Prediction(
        replicas=replicas,
        seconds=seconds,
        meets_objective=seconds <= threshold_seconds(objective),
        late_fraction=late,
    )
