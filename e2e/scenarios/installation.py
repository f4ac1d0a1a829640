"""The operator as a platform team installs it: by Helm, two replicas, on whatever cluster there is."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from e2e.rig.binaries import ensure
from e2e.rig.kube import KubeClient, KubeError, Manifest, wait_for
from e2e.rig.providers.provider import ProvidedCluster
from e2e.rig.stack import CHART, OPERATOR_NAMESPACE, RELEASE, Stack
from e2e.scenarios.audit import AuditLog

OPERATOR_USER = f"system:serviceaccount:{OPERATOR_NAMESPACE}:{RELEASE}"
INSTALL_SECONDS = 180.0
LOG_LINES, LOG_WIDTH = 25, 600


class CommandFailedError(AssertionError):
    """A command line program failed; the message has what it said."""


@dataclass(slots=True, kw_only=True)
class Installation:
    """A release and the cluster that it runs on. `stack`: only on the bundled cluster."""

    cluster: ProvidedCluster
    kube: KubeClient
    folder: Path
    values: Mapping[str, Any]
    stack: Stack | None = None
    # Epoch seconds and `enforce.enabled` of each install and upgrade, for the audit of rights.
    switched: list[tuple[float, bool]] = field(default_factory=list)

    @property
    def audit(self) -> AuditLog | None:
        plane = self.cluster.control_plane
        return AuditLog(plane.cluster.audit_log) if plane is not None else None

    def install(self, *changes: Mapping[str, Any]) -> None:
        """Install or upgrade with the values of this installation and `changes` on top of them."""
        values = merged(self.values, *changes)
        file = self.folder / "values.yaml"
        file.write_text(yaml.safe_dump(values))
        self.switched.append((time.time(), bool(values["enforce"]["enabled"])))
        self.helm(
            *("upgrade", "--install", RELEASE, str(CHART), "--values", str(file)),
            *("--create-namespace", "--wait", "--timeout", f"{INSTALL_SECONDS:.0f}s"),
        )

    def uninstall(self) -> None:
        self.helm("uninstall", RELEASE, "--wait", "--ignore-not-found")

    def helm(self, *arguments: str) -> str:
        homes = {f"HELM_{kind}_HOME": str(self.folder) for kind in ("CACHE", "CONFIG", "DATA")}
        program = ensure("helm")["helm"]
        done = self._run(
            str(program), *arguments, "--namespace", OPERATOR_NAMESPACE, environment=homes
        )
        return succeeded(done)

    def kubectl(self, *arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
        """Run kubectl as a person would, with this project's plugin on its PATH."""
        program = ensure("kubectl")["kubectl"]
        path = f"{Path(sys.executable).parent}:{os.defpath}"
        return self._run(str(program), *arguments, environment={"PATH": path}, given=given)

    def pods(self) -> list[Manifest]:
        return self.kube.list(
            "v1",
            "Pod",
            namespace=OPERATOR_NAMESPACE,
            label_selector=f"app.kubernetes.io/instance={RELEASE}",
        )

    def leader(self) -> str:
        """Name of the pod that leads now, "" when none does."""
        lease = self.kube.find(
            "coordination.k8s.io/v1", "Lease", RELEASE, namespace=OPERATOR_NAMESPACE
        )
        holder = (lease or {}).get("spec", {}).get("holderIdentity") or ""
        return str(holder).rpartition("_")[0]

    def wait_for_leader(self) -> str:
        """A pod that leads and is there: after an upgrade the Lease may still name one that is gone."""

        def leading() -> str:
            leader = self.leader()
            return leader if leader in {p["metadata"]["name"] for p in self.pods()} else ""

        return wait_for(leading, timeout_seconds=30, what="a leader")

    def kill(self, pod: str) -> None:
        """Kill a pod of the operator without any notice."""
        self.kube.delete("v1", "Pod", pod, namespace=OPERATOR_NAMESPACE, grace_period_seconds=0)

    def log_tail(self) -> str:
        """The last lines of each operator pod's log."""
        return "\n".join(
            f"--- {name}\n{self._log(name)}"
            for name in (pod["metadata"]["name"] for pod in self.pods())
        )

    def _log(self, pod: str) -> str:
        if self.stack is not None:
            file = self.stack.nodes.log_of(OPERATOR_NAMESPACE, pod, "operator")
            lines = file.read_text().splitlines() if file.exists() else ["(no log)"]
            return "\n".join(line[:LOG_WIDTH] for line in lines[-LOG_LINES:])
        path = f"/api/v1/namespaces/{OPERATOR_NAMESPACE}/pods/{pod}/log"
        try:
            return self.kube.read("GET", path, query={"tailLines": str(LOG_LINES)})
        except KubeError as error:
            return str(error)

    def _run(
        self, *arguments: str, environment: Mapping[str, str], given: str = ""
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            arguments,
            env={
                "PATH": os.defpath,
                "HOME": str(self.folder),
                "KUBECONFIG": str(self.cluster.kubeconfig),
                **environment,
            },
            input=given,
            capture_output=True,
            text=True,
            check=False,
        )


def succeeded(done: subprocess.CompletedProcess[str]) -> str:
    """What a program printed.

    Raises:
        CommandFailedError: it failed.
    """
    if done.returncode:
        raise CommandFailedError(f"{' '.join(done.args)}: {done.stderr.strip()}")
    return done.stdout


def merged(*mappings: Mapping[str, Any]) -> dict[str, Any]:
    """Nested mappings laid over each other; the last one wins."""
    result: dict[str, Any] = {}
    for mapping in mappings:
        for key, value in mapping.items():
            nested = isinstance(value, Mapping) and isinstance(result.get(key), Mapping)
            result[key] = merged(result[key], value) if nested else value
    return result
