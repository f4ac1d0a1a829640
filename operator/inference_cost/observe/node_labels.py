"""Where the pods of a template may land: labels that a node must have, and how they spread over zones."""

from collections.abc import Iterable, Mapping
from functools import reduce
from typing import Any

from inference_cost.observe.fields import labels_of, mapping, parse_selector, sequence
from inference_cost.observe.nodes import ZONE_LABELS
from inference_cost.observe.records import Labels, Selector


def required_node_labels(pod_spec: Mapping[str, Any]) -> Labels:
    """Of nodeSelector and required affinity; of this only values that all of its terms ask for: any one suffices."""
    terms = [_of_term(term) for term in _node_selector_terms(pod_spec)]
    common = reduce(lambda one, other: one & other, terms) if terms else set()
    return labels_of(dict(common) | dict(mapping(pod_spec.get("nodeSelector"))))


def required_terms(pod_spec: Mapping[str, Any]) -> tuple[Selector, ...]:
    """Of the required affinity; a node needs to meet one of them."""
    return tuple(parse_selector(term) for term in _node_selector_terms(pod_spec))


def _node_selector_terms(pod_spec: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    affinity = mapping(mapping(pod_spec.get("affinity")).get("nodeAffinity"))
    required = mapping(affinity.get("requiredDuringSchedulingIgnoredDuringExecution"))
    return sequence(required.get("nodeSelectorTerms"))


def spreads_over_zones(pod_spec: Mapping[str, Any]) -> bool:
    """By a topology spread constraint, a soft one too: schedulers and Karpenter keep to it while they can."""
    return bool(_zone_spreads(pod_spec))


def strict_zones(pod_spec: Mapping[str, Any]) -> bool:
    """Whether a pod rather waits than makes the zones uneven: what one zone lost then comes in no other."""
    strict = "DoNotSchedule"
    return any(one.get("whenUnsatisfiable", strict) == strict for one in _zone_spreads(pod_spec))


def _zone_spreads(pod_spec: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    constraints = map(mapping, sequence(pod_spec.get("topologySpreadConstraints")))
    return [one for one in constraints if one.get("topologyKey") in ZONE_LABELS]


def _of_term(term: Mapping[str, Any]) -> set[tuple[str, str]]:
    found = set()
    for expression in map(mapping, sequence(term.get("matchExpressions"))):
        values = expression.get("values")
        if expression.get("operator") == "In" and isinstance(values, list) and len(values) == 1:
            found.add((str(expression.get("key")), str(values[0])))
    return found
