"""Targets: found, refused, rolling out."""

from typing import Any

import pytest

from inference_cost.api.annotations import DELETION_COST
from inference_cost.model.policy import TargetRef
from inference_cost.model.workload import NoWorkload, TargetProblem, Workload
from inference_cost.observe.workloads import find_workload
from tests.unit.observe.world import (
    NOW,
    deployment,
    filled,
    metadata,
    owner,
    pod,
    rfc3339,
    stateful_set,
)

TARGET = TargetRef(api_version="apps/v1", kind="Deployment", name="resnet")


def workload(*objects: dict[str, Any], target: TargetRef = TARGET) -> Workload:
    found = find_workload(filled(*objects), "vision", target)
    assert isinstance(found, Workload), found
    return found


def refusal(*objects: dict[str, Any], target: TargetRef = TARGET) -> NoWorkload:
    found = find_workload(filled(*objects), "vision", target)
    assert isinstance(found, NoWorkload), found
    return found


def waiting(name: str, *, created_at: float) -> dict[str, Any]:
    made = pod(name, ready_for=None, created_at=created_at, node="")
    made["status"]["conditions"].append(
        {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
    )
    return made


def test_pods_that_a_machine_was_refused_to_are_those_that_waited_for_it() -> None:
    target = deployment()
    target["spec"]["template"]["spec"]["nodeSelector"] = {"karpenter.sh/nodepool": "spot"}
    refused = {
        "kind": "NodeClaim",
        "metadata": metadata(
            "spot-x7",
            namespace="",
            labels={"karpenter.sh/nodepool": "spot"},
            deletionTimestamp=rfc3339(NOW),
        ),
    }
    found = workload(
        target,
        refused,
        pod("serves", created_at=NOW - 90),
        waiting("waited", created_at=NOW - 9),
        waiting("came-later", created_at=NOW + 3),
    )
    assert [p.name for p in found.pods if p.refused] == ["waited"]


def test_a_deployment_is_found_with_its_own_pods_alone() -> None:
    found = workload(
        deployment(),
        pod("a"),
        pod("other-namespace", namespace="shop"),
        pod("orphan", ownerReferences=[]),
        pod("finished", phase="Failed"),
        pod("same-labels-other-owner", ownerReferences=owner("ReplicaSet", "canary-aaa")),
    )
    assert [p.name for p in found.pods] == ["a"]
    assert found.desired_replicas == 2
    assert found.template_hash == "aaa"
    assert not found.rolling_out


def marked(manager: str) -> dict[str, Any]:
    """Metadata of a pod whose deletion cost somebody wrote."""
    fields = {"f:metadata": {"f:annotations": {f"f:{DELETION_COST}": {}}}}
    others = {"f:metadata": {"f:labels": {"f:app": {}}}}
    return {
        "annotations": {DELETION_COST: "-2147483648"},
        "managedFields": [
            {"manager": "kube-controller-manager", "fieldsV1": others},
            {"manager": manager, "fieldsV1": fields},
        ],
    }


def test_who_wrote_the_deletion_cost_of_a_pod_is_known() -> None:
    found = workload(
        deployment(),
        pod("a", **marked("karpenter")),
        pod("b"),
        pod("c", annotations={DELETION_COST: "7"}),
        pod("d", **{**marked("somebody"), "annotations": {}}),
    )
    assert {p.name: p.cost_set_by for p in found.pods} == {
        "a": "karpenter",
        "b": "",
        "c": "another controller",
        "d": "",
    }
    assert all(p.replica_set for p in found.pods)


def test_a_version_that_is_not_watched_is_refused_and_the_watched_one_named() -> None:
    beta = TargetRef(api_version="apps/v1beta1", kind="Deployment", name="resnet")
    found = refusal(deployment(), target=beta)
    assert found.problem is TargetProblem.KIND_NOT_ENABLED
    assert "spec.scaleTargetRef.apiVersion" in found.message
    assert "with apps/v1." in found.message


def test_the_plural_comes_from_the_watched_kind() -> None:
    assert workload(deployment()).plural == "deployments"


def test_absent_replicas_count_as_one() -> None:
    assert workload(deployment(replicas=None)).desired_replicas == 1


def test_a_target_without_pods_has_no_template_hash() -> None:
    assert workload(deployment()).template_hash == ""


PROGRESSING = {"type": "Progressing", "status": "True", "reason": "ReplicaSetUpdated"}
COMPLETE = {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"}
OLD, NEW = pod("old", created_at=NOW - 900), pod("new", template_hash="bbb", created_at=NOW - 9)
LEAVING = pod("old", created_at=NOW - 900, deletionTimestamp="2027-01-15T08:00:00Z")

ROLLING = {
    "at rest": (deployment(), [OLD], False),
    "a new template is not yet observed": (deployment(generation=2, observed=1), [OLD], True),
    "old pods are still counted": (deployment(updated=1, total=3), [OLD], True),
    "no pod is updated yet": (deployment(updated=0, total=2), [OLD], True),
    "pods of two templates serve": (deployment(), [OLD, NEW], True),
    "the last old pod is leaving": (deployment(), [LEAVING, NEW], False),
    "replicas were raised and pods are being made": (
        deployment(replicas=6, updated=2, total=2, conditions=[COMPLETE]),
        [OLD],
        False,
    ),
    "quota refuses the raised replicas": (
        deployment(
            replicas=6,
            conditions=[
                COMPLETE,
                {"type": "ReplicaFailure", "status": "True", "message": "exceeded quota"},
            ],
        ),
        [OLD],
        False,
    ),
    "recreate stopped all old pods first": (
        deployment(updated=0, total=0, conditions=[PROGRESSING]),
        [],
        True,
    ),
}


@pytest.mark.parametrize(("target", "pods", "rolling"), ROLLING.values(), ids=ROLLING)
def test_rollout(target: dict[str, Any], pods: list[dict[str, Any]], rolling: bool) -> None:
    assert workload(target, *pods).rolling_out is rolling


def test_a_write_of_replicas_is_no_rollout_before_the_controller_observed_it() -> None:
    cache = filled(deployment(generation=3, observed=3), OLD)
    cache.apply("Deployment", "MODIFIED", deployment(replicas=5, generation=4, observed=3))
    found = find_workload(cache, "vision", TARGET)
    assert isinstance(found, Workload)
    assert found.desired_replicas == 5
    assert not found.rolling_out


def test_the_newest_pod_tells_the_newest_template() -> None:
    assert workload(deployment(), NEW, OLD).template_hash == "bbb"


def test_a_stateful_set_tells_its_newest_template_itself() -> None:
    labels = {"app": "resnet", "controller-revision-hash": "resnet-a"}
    old = pod("resnet-0", labels=labels, ownerReferences=owner("StatefulSet", "resnet"))
    target = TargetRef(api_version="apps/v1", kind="StatefulSet", name="resnet")
    found = workload(stateful_set(), old, target=target)
    assert found.template_hash == "resnet-b"
    assert [p.name for p in found.pods] == ["resnet-0"]


def test_a_refusal_by_quota_is_kept_in_its_words() -> None:
    failure = {"type": "ReplicaFailure", "status": "True", "message": "exceeded quota: gpus"}
    assert workload(deployment(conditions=[failure])).quota_refusal == "exceeded quota: gpus"


def test_a_missing_target_names_what_is_there() -> None:
    found = refusal(deployment("resnet50"), deployment("zebra"))
    assert found.problem is TargetProblem.NOT_FOUND
    assert "spec.scaleTargetRef" in found.message
    assert "Deployment/resnet50" in found.message
    assert "Deployment/zebra" not in found.message


def test_a_missing_target_in_an_empty_namespace_says_so() -> None:
    assert "no scale target at all" in refusal().message


def test_a_target_in_another_namespace_is_not_found() -> None:
    assert refusal(deployment(namespace="shop")).problem is TargetProblem.NOT_FOUND


@pytest.mark.parametrize(
    "target",
    [
        TargetRef(api_version="argoproj.io/v1alpha1", kind="Rollout", name="resnet"),
        TargetRef(api_version="v1", kind="Deployment", name="resnet"),
        TargetRef(api_version="v1", kind="Pod", name="resnet"),
    ],
    ids=str,
)
def test_a_kind_that_is_not_enabled_is_refused_with_those_that_are(target: TargetRef) -> None:
    found = refusal(deployment(), target=target)
    assert found.problem is TargetProblem.KIND_NOT_ENABLED
    assert "Deployment (apps/v1), StatefulSet (apps/v1)" in found.message
    assert "rbac.scaleTargets" in found.message


def test_a_target_under_a_controller_is_refused_with_its_name() -> None:
    references = owner("InferenceService", "bert", "serving.kserve.io/v1beta1")
    found = refusal(deployment(ownerReferences=references))
    assert found.problem is TargetProblem.OWNED_BY
    assert "InferenceService/bert" in found.message


def test_an_owner_on_the_tested_list_is_no_obstacle() -> None:
    cache = filled(deployment(ownerReferences=owner("Tested", "x")))
    found = find_workload(cache, "vision", TARGET, allowed_owners=["Tested"])
    assert isinstance(found, Workload)
