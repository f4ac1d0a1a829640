"""Manifests of test pods, and waiting for what becomes of them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from e2e.rig.kube import KubeClient, Manifest, wait_for

# Pods of other tests on the shared cluster must not land here, and ours not elsewhere.
NODE_SELECTOR = {"tests.inferencecost.dev/process-node": "true"}
TAINT = {"key": "tests.inferencecost.dev/process-node", "effect": "NoSchedule"}
TOLERATIONS = [{"key": TAINT["key"], "operator": "Exists"}]
POD_ENVIRONMENT = [
    {"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
    {"name": "POD_NAMESPACE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}},
]


def workload(name: str, *arguments: str, **container: Any) -> Manifest:
    """Return a pod of the test image; keywords are fields of its container."""
    spec = {
        "name": "main",
        "image": "registry.test/workload:1",
        "args": list(arguments),
        "env": POD_ENVIRONMENT,
        **container,
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {
            "nodeSelector": NODE_SELECTOR,
            "tolerations": TOLERATIONS,
            "terminationGracePeriodSeconds": 1,
            "containers": [spec],
        },
    }


class Pods:
    """The pods of one namespace."""

    def __init__(self, kube: KubeClient, namespace: str) -> None:
        self.kube = kube
        self.namespace = namespace

    def create(self, manifest: Manifest) -> Manifest:
        return self.kube.create(manifest, namespace=self.namespace)

    def get(self, name: str) -> Manifest:
        return self.kube.get("v1", "Pod", name, namespace=self.namespace)

    def delete(self, name: str, grace_seconds: int | None = None) -> None:
        self.kube.delete(
            "v1", "Pod", name, namespace=self.namespace, grace_period_seconds=grace_seconds
        )

    def list(self) -> list[Manifest]:
        return self.kube.list("v1", "Pod", namespace=self.namespace)

    def wait(self, name: str, condition: Callable[[Manifest], Any], what: str) -> Manifest:
        """Return the pod once the condition holds."""

        def check() -> Manifest | None:
            pod = self.get(name)
            return pod if condition(pod) else None

        return wait_for(check, timeout_seconds=60, what=f"{name} {what}", poll=0.05)

    def wait_gone(self, name: str) -> None:
        def gone() -> bool:
            return self.kube.find("v1", "Pod", name, namespace=self.namespace) is None

        wait_for(gone, timeout_seconds=60, what=f"{name} to be gone", poll=0.05)

    def wait_until(self, condition: Callable[[], bool], what: str) -> None:
        wait_for(condition, timeout_seconds=60, what=what, poll=0.05)

    def events(self, name: str) -> dict[str, str]:
        """Return the last message by reason."""
        listed = self.kube.list("v1", "Event", namespace=self.namespace)
        return {e["reason"]: e["message"] for e in listed if e["involvedObject"]["name"] == name}


def container_status(pod: Manifest) -> Manifest:
    statuses = pod.get("status", {}).get("containerStatuses") or [{}]
    status: Manifest = statuses[0]
    return status


def is_ready(pod: Manifest) -> bool:
    return bool(container_status(pod).get("ready"))


def waiting_reason(pod: Manifest) -> str:
    state = container_status(pod).get("state") or {}
    return str((state.get("waiting") or {}).get("reason", ""))


def restarts(pod: Manifest) -> int:
    return int(container_status(pod).get("restartCount", 0))


def last_json(log: Path) -> dict[str, Any]:
    """Return the last JSON line of a log."""
    lines = [line for line in log.read_text().splitlines() if line.startswith("{")]
    document: dict[str, Any] = json.loads(lines[-1])
    return document


def processes_with(text: str) -> list[psutil.Process]:
    """Return the running processes whose command line or environment's POD_NAMESPACE has `text`."""

    def belongs(process: psutil.Process) -> bool:
        try:
            return text in process.environ().get("POD_NAMESPACE", "") or any(
                text in part for part in process.cmdline()
            )
        except psutil.Error:
            return False

    return [p for p in psutil.process_iter() if p.pid != psutil.Process().pid and belongs(p)]
