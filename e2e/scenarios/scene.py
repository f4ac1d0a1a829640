"""What one scenario sees: a namespace of its own, its policies, their targets, and time."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from e2e.rig.kube import KubeClient, Manifest, wait_for
from e2e.scenarios.audit import Request
from e2e.scenarios.installation import OPERATOR_USER, Installation
from e2e.scenarios.targets import POLICY_KIND, POLICY_VERSION, idle_target, six_line_policy

# Within this long every problem must be told (issue: "within 30 s a condition and a message").
TOLD_WITHIN_SECONDS = 30.0
OPERATOR_MANAGER = "inference-cost-operator"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One condition of a policy; all empty as long as it is not there."""

    status: str = ""
    reason: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A namespace. What `apply` creates in it goes with it."""

    installation: Installation
    namespace: str
    began_at: float

    @property
    def kube(self) -> KubeClient:
        return self.installation.kube

    def apply(self, *manifests: Manifest) -> None:
        self.kube.apply(*manifests, namespace=self.namespace)

    def target(self, name: str, *, kind: str = "Deployment", replicas: int = 1) -> str:
        self.apply(idle_target(name, kind=kind, replicas=replicas))
        return name

    def policy(self, name: str, target: str | None = None, **spec: object) -> str:
        self.apply(six_line_policy(name, target or name, **spec))
        return name

    def edit(self, policy: str, **spec: object) -> None:
        self.kube.merge(
            POLICY_VERSION, POLICY_KIND, policy, {"spec": spec}, namespace=self.namespace
        )

    def annotate(self, policy: str, **annotations: str | None) -> None:
        """Set annotations of our group on a policy (dashes as underscores); None removes one."""
        patch = {"metadata": {"annotations": group_annotations(annotations)}}
        self.kube.merge(POLICY_VERSION, POLICY_KIND, policy, patch, namespace=self.namespace)

    def annotate_namespace(self, **annotations: str | None) -> None:
        patch = {"metadata": {"annotations": group_annotations(annotations)}}
        self.kube.merge("v1", "Namespace", self.namespace, patch)

    def status(self, policy: str) -> Manifest:
        """Status of a policy; empty as long as there is none."""
        found = self.kube.find(POLICY_VERSION, POLICY_KIND, policy, namespace=self.namespace)
        status: Manifest = (found or {}).get("status", {})
        return status

    def told(self, policy: str, condition: str) -> Told:
        for one in self.status(policy).get("conditions") or ():
            if one["type"] == condition:
                return Told(
                    status=one["status"], reason=one["reason"], message=one.get("message", "")
                )
        return Told()

    def wait_told(
        self,
        policy: str,
        condition: str,
        status: str,
        reason: str,
        *,
        within: float = TOLD_WITHIN_SECONDS,
    ) -> Told:
        """Wait for a condition; the error says what it was instead."""
        deadline = time.monotonic() + within
        while True:
            told = self.told(policy, condition)
            if (told.status, told.reason) == (status, reason):
                return told
            assert time.monotonic() < deadline, (
                f"{policy}: after {within:g} s {condition} should be {status}/{reason}, is {told}"
            )
            time.sleep(0.2)

    def wait_message(self, policy: str, condition: str, words: str, *, within: float) -> Told:
        """Wait until the message of a condition contains some words."""
        deadline = time.monotonic() + within
        while words not in (told := self.told(policy, condition)).message:
            assert time.monotonic() < deadline, f"{policy}: {condition} lacks {words!r}: {told}"
            time.sleep(0.2)
        return told

    def wait_status(
        self, policy: str, part: str, *, within: float = TOLD_WITHIN_SECONDS, **fields: object
    ) -> None:
        """Wait until fields of one part of the status have the values given."""
        deadline = time.monotonic() + within
        while True:
            now = self.status(policy).get(part) or {}
            if all(now.get(name) == value for name, value in fields.items()):
                return
            assert time.monotonic() < deadline, f"{policy}: {part} lacks {fields}: {now}"
            time.sleep(0.2)

    def object(self, name: str, *, kind: str = "Deployment") -> Manifest:
        return self.kube.get("apps/v1", kind, name, namespace=self.namespace)

    def replicas(self, name: str, *, kind: str = "Deployment") -> int:
        return int(self.object(name, kind=kind)["spec"]["replicas"])

    def wait_replicas(
        self, name: str, replicas: int, *, kind: str = "Deployment", within: float = 20.0
    ) -> None:
        deadline = time.monotonic() + within
        while (now := self.replicas(name, kind=kind)) != replicas:
            assert time.monotonic() < deadline, (
                f"{kind}/{name} has {now} replicas after {within:g} s, not {replicas}"
            )
            time.sleep(0.2)

    def scale_writes(self, target: str, *, since: float = 0.0) -> list[Request]:
        """Successful writes of the operator to a target's /scale; only where there is an audit log."""
        audit = self.installation.audit
        assert audit is not None, "this provider has no audit log"
        return [
            request
            for request in audit.requests(OPERATOR_USER, since=max(since, self.began_at))
            if request.scales
            and (request.namespace, request.name) == (self.namespace, target)
            and request.code < 300
        ]

    def assert_untouched(self, name: str, *, kind: str = "Deployment") -> None:
        """The operator never wrote to the target: by its managers, and by the audit log if there is one."""
        managers = [m["manager"] for m in self.object(name, kind=kind)["metadata"]["managedFields"]]
        assert OPERATOR_MANAGER not in managers, f"{name} was written by {managers}"
        audit = self.installation.audit
        if audit is not None:
            requests = audit.requests(OPERATOR_USER, since=self.began_at)
            writes = [r for r in requests if r.writes and r.group == "apps"]
            here = [r for r in writes if (r.namespace, r.name) == (self.namespace, name)]
            assert not here, f"the operator wrote to {name}: {here}"

    def events(self, policy: str) -> dict[str, str]:
        """Notes of the events on a policy, by their reason."""
        return {e["reason"]: e.get("note", "") for e in self._events(policy)}

    def times(self, policy: str, reason: str) -> int:
        """How often an event happened; the ones alike are one object that counts."""
        alike = [e for e in self._events(policy) if e["reason"] == reason]
        return max((e.get("series", {}).get("count", 1) for e in alike), default=0)

    def _events(self, policy: str) -> list[Manifest]:
        events = self.kube.list("events.k8s.io/v1", "Event", namespace=self.namespace)
        return [e for e in events if e["regarding"].get("name") == policy]

    def wait_event(self, policy: str, reason: str, *, within: float = TOLD_WITHIN_SECONDS) -> str:
        """Note of the event, once it is there."""
        found = wait_for(
            lambda: self.events(policy) if reason in self.events(policy) else None,
            timeout_seconds=within,
            what=f"event {reason} on {policy}",
        )
        return found[reason]

    def description(self) -> str:
        """All policies of the namespace as they are now, for a failure."""
        policies = self.kube.list(POLICY_VERSION, POLICY_KIND, namespace=self.namespace)
        return "\n".join(f"--- {p['metadata']['name']}\n{_described(p)}" for p in policies)


@contextmanager
def scene(installation: Installation, namespace: str) -> Iterator[Scene]:
    """A namespace for the length of a with block."""
    kube = installation.kube
    kube.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
    wait_for(
        lambda: kube.find("v1", "ServiceAccount", "default", namespace=namespace),
        timeout_seconds=15,
        what=f"the default ServiceAccount of {namespace}",
    )
    try:
        yield Scene(installation=installation, namespace=namespace, began_at=time.time())
    finally:
        kube.delete("v1", "Namespace", namespace)


def group_annotations(annotations: dict[str, str | None]) -> dict[str, str | None]:
    return {f"inferencecost.dev/{k.replace('_', '-')}": v for k, v in annotations.items()}


def holds_for(seconds: float, check: Callable[[], None]) -> None:
    """Call `check`, which asserts, again and again for as long as given."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        check()
        time.sleep(0.5)


def _described(policy: Manifest) -> str:
    status = policy.get("status", {})
    lines = [f"spec: {policy['spec']}"]
    lines += [
        f"{c['type']}={c['status']}/{c['reason']}: {c.get('message', '')}"
        for c in status.get("conditions") or ()
    ]
    lines += [f"{k}: {v}" for k, v in status.items() if k != "conditions"]
    return "\n".join(lines)
