"""What `split` prints, from files alone."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from inference_cost.api.parse import parse_policy
from inference_cost.cli.failure import CommandError, ExitCode
from inference_cost.cli.split.documents import Source, SplitPool, Wanted, split
from inference_cost.cli.split.sources import from_files
from inference_cost.cli.split.workload import VARIANT, name_beside

WANTED = Wanted(threshold_milliseconds=300, max_replicas=20)
SAFE = SplitPool(name="on-demand", labels={"pool": "od"}, taints=())
SPOT = SplitPool(
    name="spot",
    labels={"pool": "spot", "capacity": "spot"},
    taints=({"key": "spot", "value": "true", "effect": "NoSchedule"},),
)


def deployment(**spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": "resnet",
            "namespace": "vision",
            "uid": "u",
            "resourceVersion": "7",
            "labels": {"app": "resnet", "app.kubernetes.io/instance": "argo", "team": "vision"},
            "annotations": {
                "kubectl.kubernetes.io/last-applied-configuration": "{}",
                "deployment.kubernetes.io/revision": "3",
                "argocd.argoproj.io/tracking-id": "x",
                "note": "ours",
            },
        },
        "spec": {
            "replicas": 4,
            "selector": {"matchLabels": {"app": "resnet"}},
            "template": {
                "metadata": {"labels": {"app": "resnet"}},
                "spec": {
                    "nodeSelector": {"pool": "od", "disk": "ssd"},
                    "tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists"}],
                    "containers": [{"name": "triton", "image": "triton:1"}],
                },
            },
            **spec,
        },
        "status": {"replicas": 4},
    }


def printed(source: Source, *pools: SplitPool) -> list[dict[str, Any]]:
    return list(filter(None, yaml.safe_load_all(split(source, pools or (SAFE, SPOT)))))


def test_the_workload_stays_on_the_first_pool_and_is_what_it_was() -> None:
    source = printed(Source(workload=deployment(), wanted=WANTED))[0]
    assert source["metadata"] == {
        "name": "resnet",
        "namespace": "vision",
        "labels": deployment()["metadata"]["labels"],
        "annotations": {"argocd.argoproj.io/tracking-id": "x", "note": "ours"},
    }
    assert source["spec"] == deployment()["spec"]
    assert "status" not in source


def test_the_second_one_has_a_label_of_its_own_and_keeps_to_its_pool() -> None:
    second = printed(Source(workload=deployment(), wanted=WANTED))[1]
    assert second["metadata"] == {
        "name": "resnet-spot",
        "namespace": "vision",
        "labels": {"app": "resnet", "team": "vision"},
        "annotations": {"note": "ours"},
    }
    spec, template = second["spec"], second["spec"]["template"]
    assert spec["replicas"] == 0
    assert spec["selector"]["matchLabels"] == {"app": "resnet", VARIANT: "spot"}
    assert template["metadata"]["labels"] == {"app": "resnet", VARIANT: "spot"}
    assert template["spec"]["nodeSelector"] == {"disk": "ssd", "pool": "spot", "capacity": "spot"}
    assert template["spec"]["tolerations"] == [
        {"key": "nvidia.com/gpu", "operator": "Exists"},
        {"key": "spot", "operator": "Equal", "value": "true", "effect": "NoSchedule"},
    ]


def test_one_budget_over_all_and_a_policy_with_the_variants() -> None:
    *_, budget, policy = printed(Source(workload=deployment(), wanted=WANTED))
    assert budget["kind"] == "PodDisruptionBudget"
    assert budget["spec"]["selector"] == {"matchLabels": {"app": "resnet"}}
    spec = parse_policy(policy, strict=True).spec
    assert [
        (v.name, v.scale_target_ref.name, v.pool_ref and v.pool_ref.name) for v in spec.variants
    ] == [
        ("on-demand", "resnet", "on-demand"),
        ("spot", "resnet-spot", "spot"),
    ]
    assert (spec.mode.value, spec.max_replicas) == ("Recommend", 20)


def test_a_budget_that_is_there_already_stays_the_only_one() -> None:
    """Two over the same pod would keep it from being evicted at all."""
    there = {"metadata": {"name": "all"}, "spec": {"selector": {"matchLabels": {"app": "resnet"}}}}
    source = Source(workload=deployment(), budgets=(there,), wanted=WANTED)
    assert [one["kind"] for one in printed(source)] == [
        "Deployment",
        "Deployment",
        "InferenceCostPolicy",
    ]
    assert "# PodDisruptionBudget/all is over the pods of all variants already." in split(
        source, (SAFE, SPOT)
    )


def test_the_policy_that_is_there_is_kept_but_for_its_target() -> None:
    policy = {
        "metadata": {"name": "vision"},
        "spec": {
            "mode": "Enforce",
            "scaleTargetRef": {"name": "resnet"},
            "maxReplicas": 8,
            "slo": {"latency": {"thresholdMilliseconds": 50}},
        },
    }
    found = printed(Source(workload=deployment(), policies=(policy,)))[-1]
    assert found["metadata"] == {"name": "vision", "namespace": "vision"}
    assert (found["spec"]["mode"], found["spec"]["maxReplicas"]) == ("Enforce", 8)
    assert "scaleTargetRef" not in found["spec"]


def test_a_pool_without_a_node_says_what_to_add() -> None:
    text = split(
        Source(workload=deployment(), wanted=WANTED),
        (SAFE, SplitPool(name="spot", labels={"a": "b"})),
    )
    assert "# No node of spot is there to tell its taints: add tolerations for them." in text


AFFINITY = {
    "requiredDuringSchedulingIgnoredDuringExecution": {
        "nodeSelectorTerms": [
            {"matchExpressions": [{"key": "pool", "operator": "In", "values": ["od"]}]}
        ]
    }
}
BY_AFFINITY = {
    "metadata": {"labels": {"app": "resnet"}},
    "spec": {"affinity": {"nodeAffinity": AFFINITY}},
}
REFUSED = {
    "one pool": (
        Source(workload=deployment(), wanted=WANTED),
        (SAFE,),
        "at least two CapacityPools",
    ),
    "a pool twice": (
        Source(workload=deployment(), wanted=WANTED),
        (SAFE, SAFE),
        "at least two CapacityPools, each once",
    ),
    "no policy and nothing said": (
        Source(workload=deployment()),
        (SAFE, SPOT),
        "say --threshold-milliseconds and --max-replicas",
    ),
    "a workload that keeps to its pool by affinity": (
        Source(workload=deployment(template=BY_AFFINITY), wanted=WANTED),
        (SAFE, SPOT),
        "its required node affinity speaks of pool",
    ),
    "an empty selector": (
        Source(workload=deployment(selector={}), wanted=WANTED),
        (SAFE, SPOT),
        "spec.selector is empty",
    ),
}


@pytest.mark.parametrize("sentence", REFUSED)
def test_refused(sentence: str) -> None:
    source, pools, message = REFUSED[sentence]
    with pytest.raises(CommandError, match=message):
        split(source, pools)


def test_a_long_name_is_cut() -> None:
    assert len(name_beside("n" * 63, "spot")) == 63


def pool(name: str) -> dict[str, Any]:
    return {
        "apiVersion": "inferencecost.dev/v1alpha1",
        "kind": "CapacityPool",
        "metadata": {"name": name},
        "spec": {"nodeSelector": {"matchLabels": {"pool": name}}},
    }


def written(folder: Path, *objects: dict[str, Any]) -> str:
    file = folder / "objects.yaml"
    file.write_text(yaml.safe_dump_all(objects))
    return str(file)


def test_from_files_alone(tmp_path: Path) -> None:
    file = written(tmp_path, deployment(), pool("a"), {"kind": "List", "items": [pool("b")]})
    source, pools = from_files([file], None, ["a", "b"], WANTED)
    assert (source.name, [(one.name, one.taints) for one in pools]) == (
        "resnet",
        [("a", None), ("b", None)],
    )


def test_a_pool_that_is_not_there_is_named_with_those_that_are(tmp_path: Path) -> None:
    file = written(tmp_path, deployment(), pool("a"))
    with pytest.raises(CommandError, match=r"no CapacityPool b \(there: a\)") as error:
        from_files([file], None, ["a", "b"], WANTED)
    assert error.value.code is ExitCode.NOT_FOUND


def test_of_two_workloads_one_is_to_be_named(tmp_path: Path) -> None:
    other = deployment()
    other["metadata"]["name"] = "bert"
    file = written(tmp_path, deployment(), other, pool("a"), pool("b"))
    with pytest.raises(CommandError, match="here: Deployment/resnet, Deployment/bert"):
        from_files([file], None, ["a", "b"], WANTED)
    assert from_files([file], "deploy/bert", ["a", "b"], WANTED)[0].name == "bert"


def test_another_kind_is_refused(tmp_path: Path) -> None:
    file = written(tmp_path, deployment())
    with pytest.raises(CommandError, match="write deploy/NAME or statefulset/NAME"):
        from_files([file], "job/x", ["a"], WANTED)


def test_what_is_new_spreads_over_zones_and_the_source_stays_as_it_was() -> None:
    first, second, *_ = printed(Source(workload=deployment(), wanted=WANTED))
    assert "topologySpreadConstraints" not in first["spec"]["template"]["spec"]
    (spread,) = second["spec"]["template"]["spec"]["topologySpreadConstraints"]
    assert spread["topologyKey"] == "topology.kubernetes.io/zone"
    assert spread["whenUnsatisfiable"] == "ScheduleAnyway"
    assert spread["labelSelector"]["matchLabels"] == second["spec"]["selector"]["matchLabels"]


def test_a_spread_over_zones_of_the_teams_own_is_left_as_it_is() -> None:
    own = {"maxSkew": 2, "topologyKey": "topology.kubernetes.io/zone"}
    source = deployment()
    source["spec"]["template"]["spec"]["topologySpreadConstraints"] = [own]
    _, second, *_ = printed(Source(workload=source, wanted=WANTED))
    assert second["spec"]["template"]["spec"]["topologySpreadConstraints"] == [own]
