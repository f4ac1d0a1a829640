"""Whether the variants of a policy run where it says: a mix is worth nothing when the scheduler mixes on its own."""

from collections.abc import Mapping, Sequence
from typing import Final

from inference_cost.model.observation import PolicyRefusal
from inference_cost.model.policy import Policy, Variant
from inference_cost.observe.cluster_cache import ClusterCache
from inference_cost.observe.records import Labels, ScaleTargetRecord, SelectorTerm

Selectors = Mapping[str, Mapping[str, str]]  # by CapacityPool: labels that its nodes have
_TELLING: Final = frozenset({"In", "NotIn", "Exists", "DoesNotExist"})


def refused_variant(
    policy: Policy, cache: ClusterCache, selectors: Selectors
) -> PolicyRefusal | None:
    """For the first variant whose pods may land outside its pool; None where all keep to theirs.

    One without a pool of its own must keep out of those of the others. A target that is not there has its own message.
    """
    for i, variant in enumerate(policy.variants):
        target = variant.target
        record = cache.scale_target(target.kind, policy.key.namespace, target.name)
        if record is None:
            continue
        if variant.pool:
            why = _leaves(variant, record, selectors.get(variant.pool, {}))
        else:
            why = _enters(variant, record, policy.variants, selectors)
        if why:
            field = f"spec.variants[{i}].poolRef"
            return PolicyRefusal(
                key=policy.key,
                generation=policy.generation,
                field=field,
                message=f"{field}: {why}",
            )
    return None


def _leaves(variant: Variant, record: ScaleTargetRecord, wanted: Labels) -> str:
    """Labels that the pool asks for and the pod template does not."""
    missing = ", ".join(
        f"{key}: {value!r}"
        for key, value in sorted(wanted.items())
        if record.template_nodes.get(key) != value
    )
    if not missing:
        return ""
    return (
        f"pods of {variant.target} may land outside CapacityPool/{variant.pool}; add to the nodeSelector of its pod "
        f"template: {missing}"
    )


def _enters(
    variant: Variant, record: ScaleTargetRecord, siblings: Sequence[Variant], selectors: Selectors
) -> str:
    """The first pool of a sibling that nothing keeps its pods out of. Taints are not looked at: they come and go."""
    for other in siblings:
        wanted = selectors.get(other.pool, {})
        if wanted and not _contradicts(record, wanted):
            labels = ", ".join(f"{key}: {value!r}" for key, value in sorted(wanted.items()))
            return (
                f"pods of {variant.target} may land in CapacityPool/{other.pool} of variant {other.name}; name a pool "
                "of its own and add that pool's labels to the nodeSelector of its pod template, or give one of these "
                f"another value there: {labels}"
            )
    return ""


def _contradicts(record: ScaleTargetRecord, wanted: Labels) -> bool:
    """Whether no node with these labels may run its pods. Of a label that is not among them nothing is known."""
    if any(record.template_nodes.get(key, value) != value for key, value in wanted.items()):
        return True
    terms = record.template_terms
    return bool(terms) and all(
        any(one.key in wanted and _excludes(one, wanted) for one in term) for term in terms
    )


def _excludes(one: SelectorTerm, labels: Labels) -> bool:
    return one.operator in _TELLING and not one.matches(labels)
