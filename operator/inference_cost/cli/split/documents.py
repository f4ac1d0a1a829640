"""What `split` prints: workloads, one PodDisruptionBudget, and the policy, each with what is to be known of it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

from inference_cost.api.group import API_VERSION, POLICY
from inference_cost.cli import rendering
from inference_cost.cli.failure import CommandError
from inference_cost.cli.split.workload import Labels, Object, affinity_to, beside, on_pool
from inference_cost.observe.fields import labels_of, mapping, parse_selector
from inference_cost.observe.records import selects

FEWEST_POOLS: Final = 2  # of one there is no mix
MAX_UNAVAILABLE: Final = "10%"


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitPool:
    """A CapacityPool. `taints`: of all its nodes; None where there is no node to tell."""

    name: str
    labels: Labels
    taints: Sequence[Object] | None = None

    @property
    def variant(self) -> str:
        return self.name.replace(".", "-")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """For a workload without a policy: the latency objective and the largest number of replicas."""

    threshold_milliseconds: int | None = None
    target: str = "99.0"
    max_replicas: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What there is: the workload, and the policy and budgets that may be about it."""

    workload: Object
    policies: Sequence[Object] = ()
    budgets: Sequence[Object] = ()
    wanted: Wanted = field(default_factory=Wanted)

    @property
    def kind(self) -> str:
        return str(self.workload["kind"])

    @property
    def name(self) -> str:
        return str(self.workload["metadata"]["name"])


def split(source: Source, pools: Sequence[SplitPool]) -> str:
    """YAML for Git. The workload stays on the first pool; each other one gets one of its own.

    Raises:
        CommandError: it cannot be split as it is.
    """
    _check(source, pools)
    made = [_on(source, pool, pools) for pool in pools]
    workloads = [
        made[0],
        *(beside(one, p.variant) for one, p in zip(made[1:], pools[1:], strict=True)),
    ]
    parts = [
        _document(workloads[0], _remarks(pools[0], first=True)),
        *(_document(w, _remarks(p)) for w, p in zip(workloads[1:], pools[1:], strict=True)),
        *_budget(source),
        _document(_policy(source, workloads, pools), _POLICY),
    ]
    return "---\n".join(parts)


def as_list(text: str) -> str:
    """The same objects as one of kind List, in JSON; remarks are left out."""
    items = [one for one in yaml.safe_load_all(text) if one]
    return rendering.as_json({"apiVersion": "v1", "kind": "List", "items": items}) + "\n"


_POLICY: Final = (
    "The policy. Leave `replicas` of the workloads out of what Git applies from here on: the operator writes them.",
)


def _check(source: Source, pools: Sequence[SplitPool]) -> None:
    variants = [pool.variant for pool in pools]
    if len(pools) < FEWEST_POOLS or len(set(variants)) < len(pools):
        raise CommandError(
            "--pools: name at least two CapacityPools, each once, as in --pools on-demand,spot"
        )
    selector = mapping(source.workload["spec"].get("selector"))
    if not selector.get("matchLabels") and not selector.get("matchExpressions"):
        raise CommandError(
            f"{source.kind}/{source.name}: spec.selector is empty; it selects no pods to split"
        )
    named = affinity_to(source.workload, [pool.labels for pool in pools])
    if named:
        raise CommandError(
            f"{source.kind}/{source.name}: its required node affinity speaks of {', '.join(named)}, which tells the "
            "pools; say it in nodeSelector, which is rewritten"
        )


def _on(source: Source, pool: SplitPool, pools: Sequence[SplitPool]) -> Object:
    others = [one.labels for one in pools if one is not pool]
    return on_pool(source.workload, pool.labels, others, pool.taints or ())


def _remarks(pool: SplitPool, *, first: bool = False) -> Iterator[str]:
    if first:
        yield f"The workload as it is, on nodes of CapacityPool/{pool.name} alone."
    else:
        yield f"Another one on nodes of CapacityPool/{pool.name}, for the same Services; the policy gives it replicas."
    if pool.taints is None:
        yield f"No node of {pool.name} is there to tell its taints: add tolerations for them."


def _budget(source: Source) -> Iterator[str]:
    """One over all pods: two that select the same pod would keep it from being evicted at all."""
    template = mapping(mapping(source.workload["spec"].get("template")).get("metadata"))
    labels = labels_of(template.get("labels"))
    for budget in source.budgets:
        if selects(parse_selector(mapping(budget.get("spec")).get("selector")), labels):
            yield f"# PodDisruptionBudget/{budget['metadata']['name']} is over the pods of all variants already.\n"
            return
    metadata = {"name": source.name} | _namespace(source)
    budget = {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": metadata,
        "spec": {
            "maxUnavailable": MAX_UNAVAILABLE,
            "selector": source.workload["spec"]["selector"],
        },
    }
    yield _document(budget, ("One budget over the pods of all variants.",))


def _policy(source: Source, workloads: Sequence[Object], pools: Sequence[SplitPool]) -> Object:
    before = next((one for one in source.policies if _is_about(one, source)), None)
    metadata: Object = {"name": source.name} | _namespace(source)
    if before is None:
        spec = _new_spec(source)
    else:
        metadata["name"] = before["metadata"]["name"]
        spec = {k: v for k, v in before["spec"].items() if k not in {"scaleTargetRef", "variants"}}
    variants = [
        {
            "name": pool.variant,
            "scaleTargetRef": {
                "apiVersion": source.workload["apiVersion"],
                "kind": source.kind,
                "name": workload["metadata"]["name"],
            },
            "poolRef": {"name": pool.name},
        }
        for workload, pool in zip(workloads, pools, strict=True)
    ]
    return {
        "apiVersion": API_VERSION,
        "kind": POLICY.kind,
        "metadata": metadata,
        "spec": spec | {"variants": variants},
    }


def _is_about(policy: Mapping[str, Any], source: Source) -> bool:
    target = mapping(mapping(policy.get("spec")).get("scaleTargetRef"))
    return (target.get("kind", "Deployment"), target.get("name")) == (source.kind, source.name)


def _new_spec(source: Source) -> Object:
    wanted = source.wanted
    if wanted.threshold_milliseconds is None or wanted.max_replicas is None:
        raise CommandError(
            f"no InferenceCostPolicy is about {source.kind}/{source.name}: say --threshold-milliseconds and "
            "--max-replicas for the one to print"
        )
    latency = {
        "thresholdMilliseconds": wanted.threshold_milliseconds,
        "target": wanted.target,
    }
    return {
        "mode": "Recommend",
        "minReplicas": 1,
        "maxReplicas": wanted.max_replicas,
        "slo": {"latency": latency},
    }


def _namespace(source: Source) -> dict[str, str]:
    namespace = source.workload["metadata"].get("namespace")
    return {"namespace": str(namespace)} if namespace else {}


def _document(obj: Object, remarks: Sequence[str] | Iterator[str]) -> str:
    text: str = yaml.safe_dump(obj, sort_keys=False, default_flow_style=False)
    return "".join(f"# {line}\n" for line in remarks) + text
