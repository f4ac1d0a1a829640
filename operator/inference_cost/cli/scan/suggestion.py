"""The InferenceCostPolicy to suggest for a workload: as little as possible, in Recommend."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10
from typing import Any, Final

import yaml

from inference_cost.api.fields import REPLICAS_LIMIT
from inference_cost.api.group import API_VERSION, POLICY
from inference_cost.cli.scan.autoscalers import NONE, Autoscaler
from inference_cost.cli.scan.workloads import Found
from inference_cost.simulate.service import Service

FEWEST_FOR_ONE_LOSS: Final = 2
MOST_TIMES: Final = 2.0  # the most replicas that ran: room for growth
LONE_TIMES, FULL_TIMES = 5.0, 3.0  # an objective in times of a lone request, and of a full batch
STEPS: Final = (1.0, 1.5, 2.0, 3.0, 5.0, 7.5, 10.0)
SMALLEST_MILLISECONDS: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """Of latency. `source`: who says so, in words."""

    threshold_milliseconds: int
    target: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Replicas, with the reason for the lower one in words."""

    fewest: int
    most: int
    why_fewest: str


def bounds(autoscaler: Autoscaler, replicas: int, most_seen: int) -> Bounds:
    """Those of today's autoscaler; else two (one may be lost), unless there is only one."""
    most = min(max(ceil(most_seen * MOST_TIMES), replicas, 1), REPLICAS_LIMIT)
    if autoscaler.kind != NONE:
        lowest = max(autoscaler.min_replicas or 0, 1)
        return Bounds(
            fewest=lowest,
            most=min(max(autoscaler.max_replicas or most, lowest), REPLICAS_LIMIT),
            why_fewest=f"minReplicas of {autoscaler.kind}/{autoscaler.name}",
        )
    lowest = max(min(FEWEST_FOR_ONE_LOSS, replicas), 1)
    why = "the fewest that survive the loss of one" if lowest > 1 else "there is only one today"
    return Bounds(fewest=lowest, most=max(most, lowest), why_fewest=why)


def assumed_objective(service: Service, target: str) -> Objective:
    """What nobody has told: a few times the time of a lone request and of a full batch, rounded up."""
    lone, full = service.seconds(1.0), service.seconds(service.max_batch)
    least = max(lone * LONE_TIMES, full * FULL_TIMES) * 1000
    return Objective(
        threshold_milliseconds=round_number(max(least, SMALLEST_MILLISECONDS)),
        target=target,
        source=f"assumed: {LONE_TIMES:g} times a lone request and {FULL_TIMES:g} times a full batch; give yours "
        "with --threshold-milliseconds",
    )


def round_number(value: float) -> int:
    """The next of 10, 15, 20, 30, 50, 75, 100 … that is not less."""
    power = 10.0 ** floor(log10(value))
    return ceil(next(step * power for step in STEPS if step * power >= value * (1 - 1e-9)))


def policy_object(found: Found, objective: Objective, limits: Bounds) -> dict[str, Any]:
    target = {"apiVersion": found.api_version, "kind": found.key.kind, "name": found.key.name}
    latency = {
        "thresholdMilliseconds": objective.threshold_milliseconds,
        "target": objective.target,
    }
    return {
        "apiVersion": API_VERSION,
        "kind": POLICY.kind,
        "metadata": {"name": found.key.name, "namespace": found.key.namespace},
        "spec": {
            "mode": "Recommend",
            "scaleTargetRef": target,
            "minReplicas": limits.fewest,
            "maxReplicas": limits.most,
            "slo": {"latency": latency},
        },
    }


def as_yaml(policy: Mapping[str, Any], remarks: Sequence[str] = ()) -> str:
    text: str = yaml.safe_dump(dict(policy), sort_keys=False, default_flow_style=False)
    return "".join(f"# {line}\n" for line in remarks) + text
