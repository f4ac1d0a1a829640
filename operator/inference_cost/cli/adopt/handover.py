"""The hand-over of a policy's workloads from their autoscalers, as a shell script to read and run. Pure."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import yaml

from inference_cost.api.conditions import ConditionType
from inference_cost.api.group import POLICY
from inference_cost.cli.scan.autoscalers import HPA, KEDA, Autoscaler
from inference_cost.observe.extract import KEDA_PAUSED_ANNOTATION
from inference_cost.observe.fields import mapping

Object = Mapping[str, Any]
SHORT: Final = POLICY.short_names[0]
WAIT_SECONDS: Final = 120
END: Final = "END_OF_UNDO"
# Of the API server's own making; the rest is what somebody wrote.
_ITS_OWN: Final = (
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "managedFields",
    "selfLink",
)
_LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"


@dataclass(frozen=True, slots=True, kw_only=True)
class Giver:
    """An autoscaler that gives a workload over. `obj`: as it is in the cluster; `target` as Kind/name."""

    autoscaler: Autoscaler
    obj: Object
    target: str

    @property
    def named(self) -> str:
        return f"{self.autoscaler.kind}/{self.autoscaler.name}"

    @property
    def file(self) -> str:
        return f"{self.autoscaler.name}.undo.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOver:
    """`policy`: as it is in the cluster. Without givers there is nothing to take over from."""

    policy: Object
    givers: tuple[Giver, ...]

    @property
    def name(self) -> str:
        return str(self.policy["metadata"]["name"])

    @property
    def namespace(self) -> str:
        return str(self.policy["metadata"]["namespace"])


def hindrances(one: HandOver) -> list[str]:
    """Why it is too early, in words."""
    status = mapping(one.policy.get("status"))
    conditions = {str(c["type"]): c for c in status.get("conditions") or ()}
    if not conditions:
        return ["the operator has not looked at the policy yet"]
    needed = (ConditionType.ACCEPTED, ConditionType.READY, ConditionType.METRICS_AVAILABLE)
    found = [
        f"{kind}={c['status']} ({c['reason']}): {c.get('message', '')}"
        for kind in needed
        if (c := conditions.get(kind)) and c["status"] != "True"
    ]
    if not mapping(status.get("profile")) and not found:
        found.append("nothing is learned yet of what a replica carries: wait for some traffic")
    return found


def script(one: HandOver) -> str:
    """Commands with what they do; nothing is done by printing them."""
    steps = [
        *_kept(one),
        _enforced(one),
        *(_given(one, giver) for giver in one.givers),
        _looked(one),
    ]
    head = "\n".join(f"# {line}" for line in _head(one))
    numbered = (f"# {number}. {text}" for number, text in enumerate(steps, start=1))
    undo = "\n".join(f"#   {line}" for line in _undo(one))
    return (
        "\n\n".join(["#!/bin/sh", head, "set -eu", *numbered, f"# To undo, at any time:\n{undo}"])
        + "\n"
    )


def _head(one: HandOver) -> Iterator[str]:
    givers = ", ".join(f"{giver.named} ({giver.target})" for giver in one.givers)
    yield f"Hand-over to {POLICY.kind}/{one.name} in namespace {one.namespace} from {givers or 'nobody'}."
    yield "Never two scale at once; in between replicas stay as they are, and no pod is restarted."
    replicas = mapping(mapping(one.policy.get("status")).get("replicas"))
    if replicas:
        yield f"Replicas now: {replicas.get('current')}; the operator would run {replicas.get('desired')}."
    yield "The installation must have enforce.enabled=true: `kubectl inference-cost doctor` says so."
    yield from _bounds(one)
    for giver in one.givers:
        yield from _remarks(giver)


def _bounds(one: HandOver) -> Iterator[str]:
    """Where the policy may go that today's autoscaler may not, or the other way round."""
    spec = mapping(one.policy.get("spec"))
    own = (spec.get("minReplicas"), spec.get("maxReplicas"))
    for giver in one.givers:
        today = (giver.autoscaler.min_replicas, giver.autoscaler.max_replicas)
        if today != own and None not in own:
            yield (
                f"Bounds change: {giver.named} kept {today[0]} to {today[1]} replicas, the policy {own[0]} to {own[1]}."
            )


def _remarks(giver: Giver) -> Iterator[str]:
    if giver.autoscaler.kind == HPA and mapping(giver.obj.get("spec")).get("behavior"):
        yield f"The behavior of {giver.named} is not taken over; spec.behavior of the policy has the same form."
    labels = mapping(mapping(giver.obj.get("metadata")).get("labels"))
    manager = str(labels.get("app.kubernetes.io/managed-by", ""))
    tracked = mapping(mapping(giver.obj.get("metadata")).get("annotations"))
    if manager or any(
        str(key).startswith(("argocd.", "kustomize.toolkit.")) for key in (*labels, *tracked)
    ):
        yield f"{giver.named} is managed by {manager or 'GitOps'}: take it out there first, or it comes back."


def _kept(one: HandOver) -> Iterator[str]:
    for giver in one.givers:
        text = yaml.safe_dump(restorable(giver.obj), sort_keys=False, default_flow_style=False)
        yield (
            f"Keep {giver.named}, to undo it.\ncat > {shlex.quote(giver.file)} <<'{END}'\n{text}{END}"
        )


def restorable(obj: Object) -> dict[str, Any]:
    """As somebody wrote it: without what the API server added."""
    metadata = {k: v for k, v in mapping(obj.get("metadata")).items() if k not in _ITS_OWN}
    annotations = {
        k: v for k, v in mapping(metadata.pop("annotations", None)).items() if k != _LAST_APPLIED
    }
    if annotations:
        metadata["annotations"] = annotations
    return {
        "apiVersion": obj.get("apiVersion"),
        "kind": obj.get("kind"),
        "metadata": metadata,
        "spec": dict(mapping(obj.get("spec"))),
    }


def _enforced(one: HandOver) -> str:
    """While another autoscaler is there nothing is written: that is waited for, so that both never scale."""
    patch = _command(
        one, "patch", SHORT, one.name, "--type", "merge", "-p", '{"spec":{"mode":"Enforce"}}'
    )
    if not one.givers:
        return f"Let the operator scale.\n{patch}"
    wait = _wait(one, "Conflicted=True")
    return f"Let the operator scale; while the other is there it writes nothing.\n{patch}\n{wait}"


def _given(one: HandOver, giver: Giver) -> str:
    if giver.autoscaler.kind == KEDA:
        what = (
            f"Pause {giver.named}: KEDA takes its HorizontalPodAutoscaler away, and replicas stay."
        )
        command = _command(
            one,
            "annotate",
            "scaledobject",
            giver.autoscaler.name,
            f"{KEDA_PAUSED_ANNOTATION}=true",
            "--overwrite",
        )
    else:
        what = f"Delete {giver.named}: replicas stay as it left them."
        command = _command(one, "delete", "hpa", giver.autoscaler.name)
    return f"{what}\n{command}"


def _looked(one: HandOver) -> str:
    wait = f"{_wait(one, 'Conflicted=False')}\n" if one.givers else ""
    explain = f"kubectl inference-cost explain {shlex.quote(one.name)} -n {shlex.quote(one.namespace)} || true"
    return f"See that the operator has them.\n{wait}{explain}"


def _undo(one: HandOver) -> Iterator[str]:
    yield _command(
        one, "patch", SHORT, one.name, "--type", "merge", "-p", '{"spec":{"mode":"Recommend"}}'
    )
    for giver in one.givers:
        if giver.autoscaler.kind == KEDA:
            yield _command(
                one, "annotate", "scaledobject", giver.autoscaler.name, f"{KEDA_PAUSED_ANNOTATION}-"
            )
        else:
            yield _command(one, "apply", "-f", giver.file)


def _wait(one: HandOver, condition: str) -> str:
    return _command(
        one,
        "wait",
        f"{SHORT}/{one.name}",
        f"--for=condition={condition}",
        f"--timeout={WAIT_SECONDS}s",
    )


def _command(one: HandOver, *arguments: str) -> str:
    return shlex.join(["kubectl", "-n", one.namespace, *arguments])


def to_json(one: HandOver, hindered: Sequence[str]) -> dict[str, Any]:
    return {
        "namespace": one.namespace,
        "name": one.name,
        "from": [
            {
                "kind": g.autoscaler.kind,
                "name": g.autoscaler.name,
                "target": g.target,
                "rule": g.autoscaler.rule,
            }
            for g in one.givers
        ],
        "hindrances": list(hindered),
        "remarks": list(_head(one)),
        "script": script(one),
        "undo": list(_undo(one)),
    }
