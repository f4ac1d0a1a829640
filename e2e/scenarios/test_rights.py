"""The audit: every right that the chart grants was used by the scenarios before, and none was missing."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import yaml

from e2e.rig.providers import Capability
from e2e.rig.stack import CHART, RELEASE
from e2e.scenarios.audit import Request
from e2e.scenarios.installation import OPERATOR_USER, Installation
from e2e.scenarios.start import TICK_SECONDS
from e2e.scenarios.test_switch import FILE_REFRESH_SECONDS

pytestmark = pytest.mark.needs(Capability.PROCESS_NODES, Capability.AUDIT_LOG)

# With the switch on, every right is used by some scenario. With it off, all but these:
UNUSED_WHEN_OFF = {
    "create leases.coordination.k8s.io": "the Lease is there from the first installation on",
    "patch events.events.k8s.io": "an event that repeats, test_pause.py: the same code either way",
    "get deployments.apps": "names who reverted a write of ours, test_conflicts.py: none when off",
    "get statefulsets.apps": "as above",
    "patch capacitypools/status.inferencecost.dev": "test_variants.py: the same code either way",
    "create deployments.apps": "placeholders, test_warm.py: the same code either way",
    "patch deployments.apps": "as above",
    "delete deployments.apps": "as above",
    "get priorityclasses.scheduling.k8s.io": "as above",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """From one install or upgrade to the next, in epoch seconds."""

    begin: float
    end: float
    enforce: bool

    def holds(self, request: Request) -> bool:
        return self.begin <= request.at < self.end


def spans(installation: Installation) -> list[Span]:
    ends = [at for at, _ in installation.switched[1:]] + [float("inf")]
    return [
        Span(begin=at, end=end, enforce=enforce)
        for (at, enforce), end in zip(installation.switched, ends, strict=True)
    ]


def granted(installation: Installation, *, enforce: bool, ordered: bool = True) -> set[str]:
    """Rights of the operator's ServiceAccount as the chart renders them: "verb resource.group"."""
    switches = {
        "enforce.enabled": enforce,
        "scaleInOrder.enabled": ordered,
        "warm.enabled": True,
    }
    flags = ",".join(f"{name}={str(on).lower()}" for name, on in switches.items())
    text = installation.helm("template", RELEASE, str(CHART), "--set", flags)
    manifests = [m for m in yaml.safe_load_all(text) if m]
    bound = {
        (m["roleRef"]["kind"], m["roleRef"]["name"])
        for m in manifests
        if m["kind"].endswith("RoleBinding") and m["subjects"][0]["name"] == RELEASE
    }
    roles = [m for m in manifests if (m["kind"], m["metadata"]["name"]) in bound]
    return {right for role in roles for rule in role["rules"] for right in _rights(rule)}


def _rights(rule: dict[str, Any]) -> Iterator[str]:
    for group in rule["apiGroups"]:
        for resource in rule["resources"]:
            for verb in rule["verbs"]:
                yield _right(verb, resource, group)


def _right(verb: str, resource: str, group: str) -> str:
    return f"{verb} {resource}.{group}".rstrip(".")


def used(requests: list[Request]) -> set[str]:
    return {_right(r.verb, r.resource, r.group) for r in requests if r.allowed}


@pytest.fixture(name="seen")
def _seen(installation: Installation) -> dict[bool, list[Request]]:
    """All requests of the operator by whether `enforce.enabled` was set."""
    assert installation.audit is not None
    requests = installation.audit.requests(OPERATOR_USER)
    found: dict[bool, list[Request]] = {True: [], False: []}
    for span in spans(installation):
        found[span.enforce] += [r for r in requests if span.holds(r)]
    assert all(found.values()), "this is for the end of a whole run, with the switch on and off"
    return found


def test_every_right_is_used(installation: Installation, seen: dict[bool, list[Request]]) -> None:
    """With the switch on, each verb on each resource that the chart grants was used in this run."""
    assert granted(installation, enforce=True) - used(seen[True]) == set()


def test_every_right_is_used_without_enforcement(
    installation: Installation, seen: dict[bool, list[Request]]
) -> None:
    """With the switch off the same holds, but for rights whose use needs a fault or a first start."""
    unused = granted(installation, enforce=False) - used(seen[False])
    assert unused <= UNUSED_WHEN_OFF.keys()


def test_enforcement_adds_scale_alone(installation: Installation) -> None:
    """The switch adds reading and patching /scale, and nothing else; scaleInOrder adds patching pods to that."""
    less = granted(installation, enforce=False, ordered=False)
    more = granted(installation, enforce=True, ordered=False)
    assert more - less == {
        f"{verb} {plural}/scale.apps"
        for verb in ("get", "patch")
        for plural in ("deployments", "statefulsets")
    }
    assert granted(installation, enforce=True) - more == {"patch pods"}
    assert granted(installation, enforce=False) == less


def test_nothing_is_refused(installation: Installation, seen: dict[bool, list[Request]]) -> None:
    """The API server's authorizer refused the operator nothing that its chart should have granted."""
    assert [r for r in seen[True] if not r.allowed] == []
    # The right to scale goes at once, the file that says so arrives within the refresh of volumes.
    turned_off = next(span.begin for span in spans(installation) if not span.enforce)
    told_by = turned_off + FILE_REFRESH_SECONDS + 2 * TICK_SECONDS
    refused = [r for r in seen[False] if not r.allowed]
    assert [r for r in refused if r.at > told_by or "/scale" not in r.resource] == []


def test_nothing_is_scaled_without_enforcement(seen: dict[bool, list[Request]]) -> None:
    """With the switch off not a single write to /scale got through."""
    assert [r for r in seen[False] if r.scales and r.allowed] == []
    assert [r for r in seen[True] if r.scales and r.allowed]
