"""What cannot be said of a workload: why, and what would change that."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from inference_cost.api.group import POLICY
from inference_cost.cli.listing import Unread
from inference_cost.cli.scan.document import Unknown
from inference_cost.cli.scan.prices import WorkloadCost
from inference_cost.cli.scan.signals import Signals
from inference_cost.cli.scan.workloads import SCALABLE, Found
from inference_cost.model.reading import Missing

MODELS_NAMED: Final = 3
PODS_NAMED: Final = 2

NO_BATCH: Final = Unknown(
    what="service time",
    why="too few executions within five minutes to tell how long a batch takes",
    fix="ask again after a day with more requests, or with a longer --from",
)


def failed(error: Exception) -> Unknown:
    return Unknown(what="saving", why=str(error), fix="see docs/scan.md")


def no_signals(found: Found, unread: Unread) -> Unknown:
    if found.replicas == 0:
        return Unknown(what="traffic", why="it has no replica", fix="nothing: it costs nothing")
    return Unknown(what=unread.what, why=unread.why, fix=unread.fix)


def price_unknown(cost: WorkloadCost) -> Iterator[Unknown]:
    if isinstance(cost.per_hour, Missing):
        yield Unknown(
            what="costs",
            why=cost.per_hour.detail or "no price is known",
            fix="give --price-per-node-hour, or ask for the right to list nodes",
        )


def no_replay(found: Found, signals: Signals, models: Sequence[str]) -> Unknown | None:
    """Why this traffic cannot be replayed; None where it can."""
    if found.key.kind not in SCALABLE:
        return Unknown(
            what="saving",
            why=f"a {found.key.kind} is not scaled by a standard installation",
            fix="enable its kind in rbac.scaleTargets, and start in Recommend",
        )
    if signals.duplicated:
        pods = ", ".join(signals.duplicated[:PODS_NAMED])
        return Unknown(
            what="saving",
            why=f"Prometheus has the series of {pods} several times, so that all sums are too large",
            fix="scrape each pod once: drop one of ServiceMonitor and PodMonitor",
        )
    if signals.language_models:
        return Unknown(
            what="saving",
            why="it serves a language model, of which Triton's own counters tell no latency",
            fix="start in Recommend: the operator sizes such models by the largest load that kept the objective",
        )
    if len(models) > 1:
        named = ", ".join(models[:MODELS_NAMED])
        return Unknown(
            what="saving",
            why=f"its pods serve {len(models)} models ({named}), and a replay knows one",
            fix="start in Recommend: the operator sizes shared pods by the time of all executions",
        )
    if not models:
        return Unknown(
            what="saving",
            why=f"there was no request in {signals.seconds / 3600:.3g} hours",
            fix="if nobody needs it, scale it to zero",
        )
    return None


def no_objective(policy: Mapping[str, Any]) -> Unknown:
    name = policy["metadata"]["name"]
    return Unknown(
        what="saving",
        why=f"its {POLICY.kind}/{name} has variants, or no latency objective, and cannot be replayed",
        fix=f"ask the operator: kubectl inference-cost explain {name}",
    )


def beside_a_saving(cost: WorkloadCost, signals: Signals) -> Iterator[Unknown]:
    """What is not known although a saving is told."""
    if not signals.histogram:
        yield Unknown(
            what="measured latency",
            why="Triton exports no latency histogram, so shares in time are the replay's",
            fix="start tritonserver with --metrics-config histogram_latencies=true (26.01 or later), or read a gateway",
        )
    if len(cost.gpu_products) > 1:
        yield Unknown(
            what="service time by GPU",
            why=f"it runs on {', '.join(cost.gpu_products)}, and its times are a mix of these",
            fix="install the operator: it times each product on its own",
        )
    if cost.spot:
        yield Unknown(
            what="interruptions",
            why="some replicas run on spot nodes, and losses are not replayed",
            fix="`backtest --spot-availability` replays them",
        )
    if not isinstance(cost.per_hour, Missing) and not cost.node_autoscaler:
        yield Unknown(
            what="empty nodes",
            why="no label tells that Karpenter made the nodes: costs fall only where an empty node is removed",
            fix="check that Karpenter or Cluster Autoscaler removes empty nodes of this pool",
        )
