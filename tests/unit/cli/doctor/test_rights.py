"""Rights of the operator's account, by what they are for: a missing one is a problem only where it is needed."""

from dataclasses import replace
from typing import Any

import pytest

from inference_cost.cli.doctor.facts import Facts, Operator, Right
from inference_cost.cli.doctor.findings import Level
from inference_cost.cli.doctor.report import diagnose
from inference_cost.cli.doctor.rights import ALWAYS, OWN, TO_MARK, duties_of
from inference_cost.cli.listing import Unread
from inference_cost.cli.scan.workloads import WorkloadKey
from tests.integration.chart.test_rights import BUFFERS, LEASE, PLACEHOLDERS, READ_ONLY, SCALE
from tests.integration.chart.values_table import ROLLOUT
from tests.unit.cli.doctor.facts import (
    Row,
    facts,
    found_alone,
    granted,
    operator,
    settings,
    target,
    workload,
)

PROBLEM, WARNING, UNKNOWN = Level.PROBLEM, Level.WARNING, Level.UNKNOWN
WARM = settings(warm={"enabled": True, "priority_class": "ico-warm"})
MARKING = settings(scale_in_order={"enabled": True})
MORE_KINDS = settings(cluster={"scale_targets": [ROLLOUT]})
KEPT = {"gpu-on-demand": "Placeholder"}
BUFFERED = {"gpu-on-demand": "CapacityBuffer"}
BUFFERS_TOO = settings(warm={"enabled": True, "capacity_buffers": True})


def lacking(template: str, given: dict[str, Any], **more: Any) -> Facts:
    """Without the role that a template of the chart grants. `more`: of the facts."""
    one = operator(settings=given)
    pools = more.get("warm_pools", {})
    return facts(
        operators=(replace(one, rights=granted(one, warm_pools=pools, but=template)),), **more
    )


def beyond(template: str, given: dict[str, Any], **more: Any) -> Facts:
    """With the role of a template too, which the switches do not ask for."""
    one = operator(settings=given)
    rights = granted(one)
    for duty in duties_of(one, scaled=frozenset({"Deployment"}), warm_pools={}):
        rights |= dict.fromkeys(duty.rights, True) if duty.template == template else {}
    return facts(operators=(replace(one, rights=rights),), **more)


def rollout() -> dict[str, Any]:
    """Facts of a policy on an Argo Rollout."""
    key = WorkloadKey(namespace="vision", kind="Rollout", name="resnet")
    return {"targets": (target(key=key, workload=workload()),)}


def on_rollout(*, but: str = "") -> Facts:
    one = operator(settings=MORE_KINDS)
    return facts(
        operators=(replace(one, rights=granted(one, kinds=("Rollout",), but=but)),), **rollout()
    )


OFF = settings(enforce={"enabled": False})
RECOMMEND = (target(mode="Recommend"),)
RULES: dict[str, Row] = {
    "to scale": (
        lambda: lacking("rbac-enforce.yaml", settings()),
        PROBLEM, "it may not get deployments/scale.apps, patch deployments/scale.apps: nothing is scaled",
        "rbac.create=true",
    ),
    "to scale without the switch": (
        lambda: beyond("rbac-enforce.yaml", OFF, targets=RECOMMEND),
        WARNING, "it may get deployments/scale.apps, patch deployments/scale.apps, although enforce.enabled is false",
        "delete the binding",
    ),
    "to scale a kind of rbac.scaleTargets": (
        lambda: on_rollout(but="rbac-enforce.yaml"),
        PROBLEM, "patch rollouts/scale.argoproj.io", "templates/rbac-enforce.yaml",
    ),
    "a kind that the installation does not scale": (
        lambda: facts(**rollout()),
        PROBLEM, "Rollout is not among the kinds that the installation scales: policy vision/resnet",
        "rbac.scaleTargets",
    ),
    "to mark pods": (
        lambda: lacking("rbac-scale-in-order.yaml", MARKING),
        PROBLEM, "it may not patch pods: any replica goes", "templates/rbac-scale-in-order.yaml",
    ),
    "to mark pods without the switch": (
        lambda: beyond("rbac-scale-in-order.yaml", settings()),
        WARNING, "it may patch pods, although enforce.enabled or scaleInOrder.enabled is false", "delete the binding",
    ),
    "to keep nodes ready": (
        lambda: lacking("rbac-warm.yaml", WARM, warm_pools=KEPT),
        PROBLEM,
        "get priorityclasses.scheduling.k8s.io ico-warm: no nodes are kept ready for CapacityPool gpu-on-demand",
        "templates/rbac-warm.yaml",
    ),
    "to keep nodes ready by buffers": (
        lambda: lacking("rbac-warm.yaml", BUFFERS_TOO, warm_pools=BUFFERED),
        PROBLEM, "create podtemplates in namespace inference-cost", "templates/rbac-warm.yaml",
    ),
    "a pool asks for nodes kept ready without the switch": (
        lambda: facts(warm_pools=KEPT),
        WARNING, "CapacityPool gpu-on-demand asks for nodes kept ready (Placeholder), and warm.enabled is false",
        "warm.enabled=true",
    ),
    "a pool asks for a buffer without its switch": (
        lambda: facts(operators=(operator(settings=WARM),), warm_pools=BUFFERED),
        WARNING, "asks for nodes kept ready (CapacityBuffer), and warm.enabled or warm.capacityBuffers is false",
        "warm.capacityBuffers=true",
    ),
    "rights that may not be asked about": (
        lambda: facts(operators=(operator(rights=Unread(what="rights", why="you may not ask", fix="ask for it")),)),
        UNKNOWN, "you may not ask", "ask for it",
    ),
    "a right of one's own": (
        lambda: facts(own_rights={one: one.verb != "patch" for one in OWN}),
        WARNING, "you may not patch inferencecostpolicies.inferencecost.dev, as pause and resume do", "ask for it",
    ),
}  # fmt: skip


@pytest.mark.parametrize("sentence", RULES)
def test_found_alone_and_with_its_fix(sentence: str) -> None:
    found_alone(RULES[sentence])


def test_without_any_right_each_thing_that_does_not_work_is_told() -> None:
    nothing = facts(operators=(operator(rights={}, settings=MARKING | WARM),), warm_pools=KEPT)
    told = [one.message for one in diagnose(nothing) if one.level is PROBLEM]
    assert len(told) == 5
    for words in ("does not see", "nothing is scaled", "any replica goes", "leads", "kept ready"):
        assert any(words in message for message in told), words


FINE: dict[str, Any] = {
    "all switches on, and their rights": lambda: lacking("", MARKING | WARM, warm_pools=KEPT),
    "buffers, with their switch": lambda: lacking("", BUFFERS_TOO, warm_pools=BUFFERED),
    "a kind of rbac.scaleTargets": on_rollout,
    "no placeholders asked for": lambda: lacking("rbac-warm.yaml", WARM),
}


@pytest.mark.parametrize("sentence", FINE)
def test_nothing_is_found_where_nothing_is_wrong(sentence: str) -> None:
    found = diagnose(FINE[sentence]())
    assert [one.message for one in found if one.level is not Level.OK] == []


def test_the_rights_are_those_of_the_chart() -> None:
    def told(rights: frozenset[Right]) -> set[tuple[str, str]]:
        return {
            (one.verb, f"{one.resource}.{one.group}" if one.group else one.resource)
            for one in rights
        }

    one: Operator = operator(settings=BUFFERS_TOO)
    scaled = frozenset({"Deployment", "StatefulSet"})
    pools = KEPT | {"other": "CapacityBuffer"}
    _, scale, mark, lead, keep, buffer = duties_of(one, scaled=scaled, warm_pools=pools)
    assert told(ALWAYS) == READ_ONLY
    assert told(scale.rights) == SCALE
    assert told(mark.rights) == told(TO_MARK) == {("patch", "pods")}
    assert told(lead.rights) == LEASE
    owner = ("get", "priorityclasses.scheduling.k8s.io")
    assert told(keep.rights) == PLACEHOLDERS | {owner}
    buffers = "capacitybuffers.autoscaling.x-k8s.io"
    assert told(buffer.rights) == BUFFERS | {owner, ("list", buffers), ("watch", buffers)}
