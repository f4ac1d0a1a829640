"""Kinds of replicas in a fleet: pods of the newest templates, by GPU product and model version."""

from collections.abc import Collection, Iterable, Mapping

from inference_cost.decide.traffic import PodTraffic, Traffic
from inference_cost.model.memory import ServiceTimeEstimate
from inference_cost.model.profile_key import UNKNOWN, ProfileKey
from inference_cost.model.reading import Missing
from inference_cost.model.workload import Node

Kinds = Mapping[ProfileKey, tuple[PodTraffic, ...]]


def kinds_of(
    seen: Traffic, last: ProfileKey, nodes: Mapping[str, Node], newest: Collection[str]
) -> Kinds:
    """Of the `newest` templates; `last` is the kind that stands in where no pod tells.

    Pods of which less is known than of others, such as those on a node that is gone, are left out.
    """
    found: dict[tuple[str, str, str], list[PodTraffic]] = {}
    before = _text(last.model_version)
    for pod in seen.pods:
        if pod.pod.template_hash in newest:
            kind = _product(pod, nodes), _version(pod, seen.served, before), pod.pod.template_hash
            found.setdefault(kind, []).append(pod)
    if not found:
        return {last: ()}
    most = max(map(_known, found))
    return {
        ProfileKey(
            template_hash=template,
            gpu_product=product or UNKNOWN,
            model_version=version or UNKNOWN,
        ): tuple(alike)
        for (product, version, template), alike in found.items()
        if _known((product, version, template)) == most
    }


def kind_of(pod: PodTraffic, nodes: Mapping[str, Node]) -> ProfileKey:
    """Of one pod that serves one model."""
    served = frozenset(window.model for window in pod.windows)
    return ProfileKey(
        template_hash=pod.pod.template_hash,
        gpu_product=_product(pod, nodes) or UNKNOWN,
        model_version=_version(pod, served, "") or UNKNOWN,
    )


def last_kind(estimates: tuple[ServiceTimeEstimate, ...], template_hash: str) -> ProfileKey:
    """Where no pod tells, what served last is what will."""
    if not estimates:
        return ProfileKey(template_hash=template_hash)
    newest = estimates[0]
    return ProfileKey(
        template_hash=template_hash,
        gpu_product=newest.gpu_product,
        model_version=newest.model_version,
    )


def names(keys: Iterable[ProfileKey]) -> tuple[str, ...]:
    """By what they differ in."""
    several = tuple(keys)
    products = len({key.gpu_product for key in several}) > 1
    versions = len({key.model_version for key in several}) > 1
    templates = len({key.template_hash for key in several}) > 1
    return tuple(
        _name(key, product=products, version=versions, template=templates) for key in several
    )


def _name(key: ProfileKey, *, product: bool, version: bool, template: bool) -> str:
    parts = [_word(key.gpu_product)] if product else []
    if version:
        parts.append(f"model version {_word(key.model_version)}")
    if template and not parts:
        parts.append(f"pods of template {key.template_hash}")
    return " with ".join(parts)


def _word(part: str | Missing) -> str:
    return "unknown" if isinstance(part, Missing) else part


def _known(kind: tuple[str, ...]) -> int:
    return sum(map(bool, kind))


def _text(part: str | Missing) -> str:
    return "" if isinstance(part, Missing) else part


def _product(pod: PodTraffic, nodes: Mapping[str, Node]) -> str:
    """Nothing where it is not known."""
    node = nodes.get(pod.pod.node)
    return "" if node is None else node.gpu_product


def _version(pod: PodTraffic, served: frozenset[str], last: str) -> str:
    """Of the one model that is served; a pod that is not asked would serve what was served last."""
    found = {
        (w.model, _text(w.version)) for w in pod.windows if w.requests > 0 and w.model in served
    }
    if not found:
        return last
    return found.pop()[1] if len(found) == 1 else ""
