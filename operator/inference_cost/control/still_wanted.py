"""The last look before a write: is everything that allows it still as it was when it was decided?"""

from inference_cost.api.annotations import InvalidAnnotationError
from inference_cost.control.switch import EnforceSwitch
from inference_cost.model.policy import Policy
from inference_cost.observe.cluster_cache import ClusterCache
from inference_cost.observe.policies import current_pause


class StillWanted:
    """Seconds pass between a look and its writes, in which a person may pause or switch off."""

    def __init__(self, cache: ClusterCache, switch: EnforceSwitch) -> None:
        self._cache = cache
        self._switch = switch

    def __call__(self, policy: Policy) -> bool:
        """False: the policy was deleted, edited, made anew or paused since, or nothing is enforced any more."""
        record = self._cache.policy(policy.key.namespace, policy.key.name)
        if record is None or record.terminating or not self._switch.read():
            return False
        if (record.uid, record.generation) != (policy.key.uid, policy.generation):
            return False
        try:
            pause = current_pause(record, self._cache.namespace(record.namespace))
        except InvalidAnnotationError:
            return False
        return pause == policy.pause
