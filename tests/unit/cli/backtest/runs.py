"""Files as a user has them, and a stand-in for the simulator that answers at once."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inference_cost.cli.backtest.options import SPOT_RULES
from inference_cost.cli.main import main
from inference_cost.simulate.outcome import BoundOutcome, Comparison, Course, Outcome, ReplicaHours
from inference_cost.simulate.scenario import Scenario

POLICY = """\
apiVersion: inferencecost.dev/v1alpha1
kind: InferenceCostPolicy
metadata: {{name: {name}, namespace: {namespace}}}
spec:
  scaleTargetRef: {{kind: Deployment, name: {name}}}
  minReplicas: 1
  maxReplicas: 40
  slo: {{latency: {{thresholdMilliseconds: 100, target: "99.0"}}}}
"""
ON_DEMAND = """\
apiVersion: inferencecost.dev/v1alpha1
kind: CapacityPool
metadata: {name: t4}
spec:
  nodeSelector: {matchLabels: {karpenter.sh/capacity-type: on-demand}}
  offerings: [{instanceType: g4dn.xlarge, perNodeHour: "0.50"}]
"""
SPOT = """\
apiVersion: inferencecost.dev/v1alpha1
kind: CapacityPool
metadata: {name: t4-spot}
spec:
  nodeSelector: {matchLabels: {karpenter.sh/capacity-type: spot}}
  offerings:
    - {instanceType: g4dn.xlarge, zone: z-a, perNodeHour: "0.20"}
    - {instanceType: g4dn.xlarge, zone: z-b, perNodeHour: "0.10"}
"""
PROFILE = "fixedMilliseconds=1.6,perItemMilliseconds=3.8,maxBatch=16"


def policy(name: str = "resnet", namespace: str = "team-a") -> str:
    return POLICY.format(name=name, namespace=namespace)


def objects_file(folder: Path, *documents: str) -> str:
    file = folder / "objects.yaml"
    file.write_text("---\n".join(documents or (policy(), ON_DEMAND)))
    return str(file)


def arrivals_file(folder: Path, rows: int = 400, name: str = "traffic.csv") -> str:
    """About 1.1 hours of 10 s bins."""
    file = folder / name
    lines = (f"{10 * i},{100 + i % 50}" for i in range(rows))
    file.write_text("t_s,count\n" + "\n".join(lines) + "\n")
    return str(file)


def course(scenario: Scenario, replicas: float, late: float) -> Course:
    bins = len(scenario.traffic.counts)
    requests = scenario.traffic.counts
    billed = replicas + np.sin(np.arange(bins) / 20)
    width = scenario.traffic.width_seconds
    return Course(
        width_seconds=width,
        requests=requests,
        late=requests * late * (np.arange(bins) % 7 == 0),
        ready=billed,
        billed=billed,
        dollars=billed * float(scenario.price_per_hour) * width / 3600,
    )


def outcome(  # noqa: PLR0917 - a short way to write a row
    scenario: Scenario, name: str, kind: str, knob: str, replicas: float, late: float
) -> Outcome:
    drawn = course(scenario, replicas, late)
    requests = float(drawn.requests.sum())
    return Outcome(
        name=name,
        kind=kind,
        knob=knob,
        cost_dollars=float(drawn.dollars.sum()),
        replica_hours=ReplicaHours(on_demand=replicas),
        requests=requests,
        late=float(drawn.late.sum()),
        dropped=1.0,
        attained_fraction=1 - float(drawn.late.sum()) / requests,
        worst_day_fraction=1 - 2 * late,
        worst_hour_fraction=1 - 3 * late,
        starts=3,
        scale_events=5,
        course=drawn,
        on_spot_market=name in SPOT_RULES,
        decide_milliseconds_median=0.5 if kind == "ours" else None,
        seconds=1.25,
        notes=("a note",) if name == "hpa" else (),
    )


def fake_compare(
    scenario: Scenario,
    *,
    against: Sequence[str] = (),
    tuned: bool = False,
    bound: bool = False,
    jobs: int = 1,
    progress: Callable[[float, str], None] | None = None,
) -> Comparison:
    """Ours costs 4 replicas, the n-th baseline 4 + n; half of the baselines miss the objective."""
    assert jobs >= 1
    found = [outcome(scenario, scenario.policy.key.name, "ours", "", 4, 0.005)]
    for number, name in enumerate(against, start=1):
        late = 0.2 if number % 2 else 0.002
        constant = name.startswith("static")  # its knob tells what came out, and has no best one
        knob = f"{len(scenario.policy.key.name)} replicas" if constant else "default: x"
        found.append(outcome(scenario, name, "baseline", knob, 4 + number, late))
        if tuned and not constant:
            found.append(outcome(scenario, name, "baseline", "tuned: y", 3.5 + number, 0.004))
    if progress is not None:
        progress(1.0, "ours")
    least = float(found[0].course.dollars.sum()) / 2
    return Comparison(
        outcomes=tuple(found),
        bound=a_bound(least) if bound else None,
        spot_bound=a_bound(least / 2) if bound and scenario.spot else None,
    )


def a_bound(dollars: float) -> BoundOutcome:
    return BoundOutcome(cost_dollars=dollars, attained_fraction=0.99, duality_gap_dollars=0.001)


def unbounded_compare(scenario: Scenario, **options: Any) -> Comparison:
    """As where not even all replicas meet the objective."""
    return replace(fake_compare(scenario, **options), bound=None, spot_bound=None)


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """Exit code of `kubectl inference-cost backtest …`."""
    monkeypatch.setattr(sys, "argv", ["kubectl-inference_cost", "backtest", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def without_simulator(monkeypatch: pytest.MonkeyPatch, compare: Any = fake_compare) -> None:
    """Put the stand-in where the command calls the simulator, and a load that needs no measuring."""
    monkeypatch.setattr("inference_cost.cli.backtest.fleet.compare", compare)
    monkeypatch.setattr("inference_cost.cli.backtest.scenarios.largest_load", lambda *_: 100.0)
