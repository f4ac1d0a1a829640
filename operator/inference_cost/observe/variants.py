"""Whether the variants of a policy run where it says: a mix is worth nothing when the scheduler mixes on its own."""

from collections.abc import Mapping

from inference_cost.model.observation import PolicyRefusal
from inference_cost.model.policy import Policy, Variant
from inference_cost.observe.cluster_cache import ClusterCache

Selectors = Mapping[str, Mapping[str, str]]  # by CapacityPool: labels that its nodes have


def refused_variant(
    policy: Policy, cache: ClusterCache, selectors: Selectors
) -> PolicyRefusal | None:
    """For the first variant whose pods may land outside its pool; None where all keep to theirs."""
    for i, variant in enumerate(policy.variants):
        missing = _missing(policy, variant, cache, selectors)
        if missing:
            return PolicyRefusal(
                key=policy.key,
                generation=policy.generation,
                field=f"spec.variants[{i}].poolRef",
                message=f"spec.variants[{i}].poolRef: pods of {variant.target} may land outside "
                f"CapacityPool/{variant.pool}; add to the nodeSelector of its pod template: {missing}",
            )
    return None


def _missing(policy: Policy, variant: Variant, cache: ClusterCache, selectors: Selectors) -> str:
    """Labels that the pool asks for and the pod template does not. A target that is not there has its own message."""
    target = variant.target
    record = cache.scale_target(target.kind, policy.key.namespace, target.name)
    wanted = selectors.get(variant.pool, {})
    if record is None:
        return ""
    return ", ".join(
        f"{key}: {value!r}"
        for key, value in sorted(wanted.items())
        if record.template_nodes.get(key) != value
    )
