"""Where `split` reads from: a cluster, or files alone."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import yaml

from inference_cost.api.group import CAPACITY_POOL, POLICY
from inference_cost.api.parse import InvalidObjectError, parse_capacity_pool
from inference_cost.cli.cluster import Cluster
from inference_cost.cli.failure import CommandError, ExitCode
from inference_cost.cli.split.documents import Source, SplitPool, Wanted
from inference_cost.cli.split.workload import Object
from inference_cost.observe.capacity_pools import binds

KINDS: Final = {
    "deploy": "Deployment",
    "deployment": "Deployment",
    "deployments": "Deployment",
    "sts": "StatefulSet",
    "statefulset": "StatefulSet",
    "statefulsets": "StatefulSet",
}
BUDGET: Final = "PodDisruptionBudget"
_PASSING: Final = ("node.kubernetes.io/", "node.cloudprovider.kubernetes.io/", "karpenter.sh/")


def from_cluster(
    cluster: Cluster, target: str, pools: Sequence[str], namespace: str | None, wanted: Wanted
) -> tuple[Source, list[SplitPool]]:
    """Read all that is about the workload, and the pools with the taints of their nodes.

    Raises:
        CommandError: something is not there, or may not be read.
    """
    kind, name = kind_and_name(target)
    source = Source(
        workload=cluster.workload(kind, name, namespace),
        policies=cluster.policies(namespace, everywhere=False),
        budgets=cluster.budgets(namespace),
        wanted=wanted,
    )
    nodes = cluster.nodes()
    return source, [_with_taints(one, nodes) for one in _named(pools, cluster.capacity_pools())]


def from_files(
    paths: Sequence[str], target: str | None, pools: Sequence[str], wanted: Wanted
) -> tuple[Source, list[SplitPool]]:
    """Read a workload, CapacityPools and, where they are there, its policy and budgets.

    Raises:
        CommandError: something is missing or not readable.
    """
    objects = [one for path in paths for one in _objects(path)]
    by_kind: dict[str, list[Object]] = {}
    for one in objects:
        by_kind.setdefault(str(one.get("kind")), []).append(one)
    source = Source(
        workload=_workload(by_kind, target),
        policies=by_kind.get(POLICY.kind, []),
        budgets=by_kind.get(BUDGET, []),
        wanted=wanted,
    )
    return source, _named(pools, by_kind.get(CAPACITY_POOL.kind, []))


def kind_and_name(target: str) -> tuple[str, str]:
    """Of `deploy/resnet`.

    Raises:
        CommandError: of another kind, or without a name.
    """
    kind, _, name = target.partition("/")
    found = KINDS.get(kind.lower().partition(".")[0])
    if found is None or not name:
        raise CommandError(
            f"{target!r} names no workload that can be split: write deploy/NAME or statefulset/NAME",
            ExitCode.USAGE,
        )
    return found, name


def _workload(by_kind: Mapping[str, list[Object]], target: str | None) -> Object:
    found = [one for kind in ("Deployment", "StatefulSet") for one in by_kind.get(kind, [])]
    if target is not None:
        kind, name = kind_and_name(target)
        found = [one for one in found if (one["kind"], one["metadata"]["name"]) == (kind, name)]
    if len(found) == 1:
        return found[0]
    names = ", ".join(f"{one['kind']}/{one['metadata']['name']}" for one in found) or "none"
    raise CommandError(
        f"-f must hold one Deployment or StatefulSet to split, here: {names}; name it"
    )


def _named(names: Sequence[str], objects: Sequence[Object]) -> list[SplitPool]:
    known = {str(one["metadata"]["name"]): one for one in objects}
    missing = [name for name in names if name not in known]
    if missing:
        there = ", ".join(sorted(known)) or "none"
        raise CommandError(
            f"--pools: there is no CapacityPool {', '.join(missing)} (there: {there}); "
            "`kubectl inference-cost pools -o yaml` prints those of nodes as objects",
            ExitCode.NOT_FOUND,
        )
    return [_pool(name, known[name]) for name in names]


def _pool(name: str, obj: Object) -> SplitPool:
    try:
        spec = parse_capacity_pool(obj).spec
    except InvalidObjectError as error:
        raise CommandError(f"CapacityPool {name}: {error}") from None
    return SplitPool(name=name, labels=spec.node_selector.match_labels)


def _with_taints(pool: SplitPool, nodes: Sequence[Object]) -> SplitPool:
    """Those that all nodes of the pool have: others come and go."""
    own = [one for one in nodes if binds(pool.labels, one["metadata"].get("labels") or {})]
    if not own:
        return pool
    taints = [list(_lasting(one)) for one in own]
    common = [one for one in taints[0] if all(one in others for others in taints)]
    return SplitPool(name=pool.name, labels=pool.labels, taints=common)


def _lasting(node: Object) -> Iterator[Object]:
    for taint in node.get("spec", {}).get("taints") or []:
        if not taint["key"].startswith(_PASSING) and taint["effect"] != "PreferNoSchedule":
            yield {key: taint[key] for key in ("key", "value", "effect") if key in taint}


def _objects(path: str) -> Iterator[Object]:
    try:
        text = sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8")
        documents: list[Any] = list(yaml.safe_load_all(text))
    except FileNotFoundError:
        raise CommandError(f"there is no file {path}", ExitCode.NOT_FOUND) from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        first = str(error).splitlines()[0]
        raise CommandError(f"{path} cannot be read as YAML: {first}") from None
    for document in documents:
        many = document.get("items") if isinstance(document, dict) else None
        for one in many if isinstance(many, list) else [document]:
            if isinstance(one, dict) and (one.get("metadata") or {}).get("name"):
                yield one
