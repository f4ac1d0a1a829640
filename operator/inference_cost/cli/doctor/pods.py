"""Checks of a pod template: probes, and whether requests survive the end of a pod."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from inference_cost.cli.scan.workloads import runs_triton
from inference_cost.observe.fields import mapping, sequence

Remark = tuple[str, str]  # what is wrong, and the fix
DEFAULT_GRACE_SECONDS: Final = 30
DEFAULT_EXIT_SECONDS: Final = 30
UNLOAD_SECONDS: Final = 5
_EXIT_TIMEOUT: Final = re.compile(r"--exit-timeout-secs[= ](\d+)")
_SLEEP: Final = re.compile(r"\bsleep\s+(\d+)")


def check_template(pod_spec: Mapping[str, Any]) -> Iterator[Remark]:
    """Of a pod that runs Triton."""
    container = _triton(pod_spec)
    yield from _requests(pod_spec)
    yield from _probes(container)
    yield from _end(pod_spec, container)


def _triton(pod_spec: Mapping[str, Any]) -> Mapping[str, Any]:
    """The container that runs it; the first where none says so."""
    containers = list(sequence(pod_spec.get("containers")))
    found = (one for one in containers if runs_triton({"containers": [one]}))
    return next(found, containers[0] if containers else {})


def _requests(pod_spec: Mapping[str, Any]) -> Iterator[Remark]:
    resources = (mapping(one.get("resources")) for one in sequence(pod_spec.get("containers")))
    if not any(mapping(one.get("requests")) or mapping(one.get("limits")) for one in resources):
        yield (
            "its pods request nothing: their share of a node's price is unknown",
            "set resources.limits of nvidia.com/gpu",
        )


def _probes(container: Mapping[str, Any]) -> Iterator[Remark]:
    if not container.get("readinessProbe"):
        yield (
            "it has no readinessProbe: it gets requests before its models are loaded",
            "probe /v2/health/ready on port 8000",
        )
    liveness = mapping(mapping(container.get("livenessProbe")).get("httpGet"))
    if "ready" in str(liveness.get("path", "")):
        yield (
            "its livenessProbe asks for readiness: a server that loads a model is killed",
            "probe /v2/health/live instead",
        )
    if container.get("livenessProbe") and not container.get("startupProbe"):
        yield (
            "it has a livenessProbe and no startupProbe: all ports are closed until its models are loaded",
            "add a startupProbe whose failureThreshold times periodSeconds exceeds the longest load",
        )


def _end(pod_spec: Mapping[str, Any], container: Mapping[str, Any]) -> Iterator[Remark]:
    before = _pre_stop_seconds(container)
    if before is None:
        yield (
            "it has no preStop sleep: Triton refuses connections at once while clients still find the pod",
            "add a preStop hook that sleeps 10 s",
        )
    grace = pod_spec.get("terminationGracePeriodSeconds")
    allowed = DEFAULT_GRACE_SECONDS if grace is None else int(grace)
    needed = (before or 0) + _exit_seconds(container) + UNLOAD_SECONDS
    if allowed < needed:
        yield (
            f"terminationGracePeriodSeconds {allowed} cuts off requests: preStop, exit and unloading take {needed}",
            f"set it to {needed} or more",
        )


def _pre_stop_seconds(container: Mapping[str, Any]) -> int | None:
    """How long the hook sleeps; 0 for one that does something else, None without one."""
    hook = mapping(mapping(container.get("lifecycle")).get("preStop"))
    if not hook:
        return None
    asleep = mapping(hook.get("sleep")).get("seconds")
    if asleep is not None:
        return int(asleep)
    command = " ".join(map(str, mapping(hook.get("exec")).get("command") or ()))
    found = _SLEEP.search(command)
    return int(found[1]) if found else 0


def _exit_seconds(container: Mapping[str, Any]) -> int:
    told = " ".join(str(one) for key in ("command", "args") for one in container.get(key) or ())
    found = _EXIT_TIMEOUT.search(told)
    return int(found[1]) if found else DEFAULT_EXIT_SECONDS
