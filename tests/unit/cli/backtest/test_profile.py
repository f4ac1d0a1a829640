"""Service times from the command line, from a checkpoint in the file, and from one in the cluster."""

from decimal import Decimal
from pathlib import Path

import pytest
import yaml

from inference_cost.act.checkpoint_payload import FORMAT, Learned, encode
from inference_cost.api.capacity_pool import CapacityPool
from inference_cost.api.checkpoint import InferenceCostCheckpoint
from inference_cost.api.parse import parse_capacity_pool, parse_checkpoint
from inference_cost.cli.backtest.objects import read_objects
from inference_cost.cli.backtest.pool_prices import on_demand_price, spot_prices
from inference_cost.cli.backtest.profile import parse_profile, profile_of
from inference_cost.cli.failure import CommandError
from inference_cost.model.memory import PolicyMemory, ServiceTimeEstimate
from inference_cost.model.policy import Policy
from tests.unit.cli.backtest.runs import ON_DEMAND, SPOT, objects_file, policy


def learned(alpha: float, beta: float, largest_mean_batch: float) -> InferenceCostCheckpoint:
    """A checkpoint whose estimate is exactly the line α + β·b."""
    s11, s12, s22 = 10.0, 40.0, 400.0
    estimate = ServiceTimeEstimate(
        template_hash="a",
        information=(s11, s12, s22),
        vector=(s11 * alpha + s12 * beta, s12 * alpha + s22 * beta),
        largest_mean_batch=largest_mean_batch,
        executions=1000.0,
    )
    content = {
        "metadata": {"name": "resnet", "namespace": "team-a"},
        "data": {
            "version": FORMAT,
            "writtenBy": "0.1.0",
            "writtenAt": "2026-01-31T08:00:00Z",
            "payload": encode(Learned(memory=PolicyMemory(estimates=(estimate,)))),
        },
    }
    return parse_checkpoint(content)


def a_policy(folder: Path) -> Policy:
    return read_objects([objects_file(folder, policy())], namespace="default").policies[0]


def nothing(_: Policy) -> InferenceCostCheckpoint:
    raise CommandError("no kubeconfig")


def test_a_line_from_the_command() -> None:
    service = parse_profile("maxBatch=8, fixedMilliseconds=1.5,perItemMilliseconds=2").service
    assert (service.fixed_seconds, service.per_item_seconds, service.max_batch) == (
        0.0015,
        0.002,
        8,
    )
    assert (service.instances, service.queue_delay_seconds, service.queue_policy) == (1, 0, False)


def test_from_the_checkpoint_in_the_file(tmp_path: Path) -> None:
    found = profile_of(a_policy(tmp_path), "", learned(0.002, 0.004, 11.6), nothing)
    assert found.service.fixed_seconds == pytest.approx(0.002)
    assert found.service.per_item_seconds == pytest.approx(0.004)
    assert found.service.max_batch == 12
    assert (
        "InferenceCostCheckpoint team-a/resnet in -f; maxBatch 12 is the largest mean"
        in found.source
    )


def test_from_the_cluster(tmp_path: Path) -> None:
    found = profile_of(a_policy(tmp_path), "", None, lambda _: learned(0.002, 0.004, 4))
    assert "in the cluster" in found.source


def test_the_command_line_goes_before_the_checkpoint(tmp_path: Path) -> None:
    given = "fixedMilliseconds=1,perItemMilliseconds=1,maxBatch=2"
    assert profile_of(a_policy(tmp_path), given, learned(1, 1, 4), nothing).source == "--profile"


def test_a_checkpoint_that_has_learned_nothing(tmp_path: Path) -> None:
    empty = learned(0.0, 0.0, 4).model_copy()
    with pytest.raises(
        CommandError, match="has no service times yet; give the service times: --prof"
    ):
        profile_of(a_policy(tmp_path), "", empty, nothing)


def pool(text: str) -> CapacityPool:
    return parse_capacity_pool(yaml.safe_load(text), strict=True)


def offered(*offerings: str, labels: str = "karpenter.sh/capacity-type: on-demand") -> CapacityPool:
    listed = "".join(f"\n    - {{{one}}}" for one in offerings)
    return pool(
        "apiVersion: inferencecost.dev/v1alpha1\nkind: CapacityPool\nmetadata: {name: p}\nspec:\n"
        f"  nodeSelector: {{matchLabels: {{{labels}}}}}\n  offerings:{listed}\n"
    )


T4, L4 = "instanceType: g4dn.xlarge", "instanceType: g6.xlarge"
PRICES = {
    "the only one": ((f'{T4}, perNodeHour: "0.5"',), "0.5"),
    "the cheapest instance type": ((f'{T4}, perNodeHour: "0.5"', f'{L4}, perNodeHour: "0.4"'), "0.4"),
    "that of every zone before that of one": (
        (f'{T4}, zone: a, perNodeHour: "0.3"', f'{T4}, perNodeHour: "0.5"'), "0.5",
    ),
    "the cheapest zone where each has its own": (
        (f'{T4}, zone: a, perNodeHour: "0.6"', f'{T4}, zone: b, perNodeHour: "0.5"'), "0.5",
    ),
}  # fmt: skip


@pytest.mark.parametrize("sentence", PRICES)
def test_price_of_a_pool(sentence: str) -> None:
    offerings, price = PRICES[sentence]
    found = on_demand_price([offered(*offerings)], Decimal(9))
    assert (found.source, found.per_hour) == ("CapacityPool/p", Decimal(price))


SPOT_LABELS = (
    "karpenter.sh/capacity-type: spot",
    "eks.amazonaws.com/capacityType: SPOT",
    'cloud.google.com/gke-spot: "true"',
    "kubernetes.azure.com/scalesetpriority: spot",
)


@pytest.mark.parametrize("label", SPOT_LABELS)
def test_spot_pools_price_zones_alone(label: str) -> None:
    found = offered(f'{T4}, zone: a, perNodeHour: "0.1"', labels=label)
    assert on_demand_price([found], Decimal(9)).source == "assumed"
    assert spot_prices([found]) == {"a": Decimal("0.1")}


def test_the_cheapest_spot_offering_of_a_zone() -> None:
    other = offered(f'{L4}, zone: z-a, perNodeHour: "0.15"', labels=SPOT_LABELS[0])
    found = spot_prices([pool(SPOT), other, pool(ON_DEMAND)])
    assert found == {"z-a": Decimal("0.15"), "z-b": Decimal("0.10")}


LISTED = """\
apiVersion: inferencecost.dev/v1alpha1
kind: CapacityPool
metadata: {name: p}
spec:
  nodeSelector: {matchLabels: {node.kubernetes.io/instance-type: Standard_NC4as_T4_v3}}
"""


def test_a_pool_without_offerings_has_the_list_price_less_its_discount() -> None:
    assert on_demand_price([pool(LISTED)], Decimal(9)).per_hour == Decimal("0.526")
    found = on_demand_price([pool(LISTED + '  discountPercent: "50"\n')], Decimal(9))
    assert found.per_hour == Decimal("0.2630")
    assert found.origin.startswith("50 % off node_prices.csv")
