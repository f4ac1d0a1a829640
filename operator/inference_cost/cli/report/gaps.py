"""What is not in a report's figures, and why."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from inference_cost.account.calendar import time_text
from inference_cost.cli.report.comparing import POTENTIAL
from inference_cost.cli.report.document import Gap, PolicyPart
from inference_cost.cli.report.recorded import Recorded
from inference_cost.cli.report.seen import Scope, Seen
from inference_cost.cli.report.window import Window

STRETCHES_NAMED = 5
BEFORE = "it was not running, was not scraped, or the store does not reach back so far"
BETWEEN = "what it knows to have cost is in the first piece after it"
AFTER = "it was not running or was not scraped; what this time cost is not in any figure"
NEEDED = {
    "policy_slo_attainment_ratio": "requests in time, over the time",
    "policy_demand_requests_per_second": "requests served, and what a thousand cost",
    "policy_gpu_utilization_ratio": "how much of their time GPUs computed",
    "policy_replica_load_requests_per_second": "replicas that only minReplicas asks for",
}
FULL_PERCENT = 99.95
OF_THE_TOOL = {"implementation": "--implementation-cost", "operator": "--running-cost"}


def gaps_of(
    recorded: Recorded,
    seen: Seen,
    scope: Scope,
    window: Window,
    *,
    policies: Sequence[PolicyPart],
    known: Sequence[bool],
    absent: Sequence[str],
    nodes_why_not: str,
) -> tuple[Gap, ...]:
    """`known`: of each piece, whether anything was recorded in it. `absent`: inputs that were not given.

    `nodes_why_not`: why nothing is said of a month of the nodes.
    """
    return (
        *_silent(known, window),
        *_totals(recorded, scope),
        *_not_recorded(recorded, policies),
        *_not_compared(policies, seen),
        *_prices(policies),
        *seen.gaps,
        *_month(nodes_why_not),
        *_inputs(absent),
    )


def _month(nodes_why_not: str) -> Iterator[Gap]:
    if nodes_why_not:
        yield Gap(
            what="what nodes cost in a month, and with it the cost of ownership",
            why=nodes_why_not,
            fix="Ask again when more is recorded, or with an earlier --since.",
        )


def _inputs(absent: Sequence[str]) -> Iterator[Gap]:
    service = [name for name in absent if name not in OF_THE_TOOL]
    if service:
        options = ", ".join(f"--{name}" for name in service)
        yield Gap(
            what=f"what the service costs in {', '.join(service)}",
            why="no node's price has it, unless its cloud puts it there",
            fix=f"Give it per month: {options}.",
        )
    tool = [OF_THE_TOOL[name] for name in absent if name in OF_THE_TOOL]
    if tool:
        yield Gap(
            what="what the operator and its policies cost to bring in and to run",
            why=f"{' and '.join(tool)} {'is' if len(tool) == 1 else 'are'} not given: nothing is taken for it",
            fix="Give it: without it a return is too good.",
        )


def _silent(known: Sequence[bool], window: Window) -> Iterator[Gap]:
    """Stretches without a series, first those that no figure has."""
    stretches = sorted(_stretches(known), key=lambda one: one[2] == BETWEEN)
    for first, after, why in stretches[:STRETCHES_NAMED]:
        begin, end = (time_text(window.begin + i * window.piece_seconds) for i in (first, after))
        yield Gap(
            what=f"{begin} to {end}",
            why=f"no series of the operator: {why}",
            fix="Keep the operator scraped, and the store's retention longer than --since.",
        )
    if len(stretches) > STRETCHES_NAMED:
        yield Gap(
            what=f"{len(stretches) - STRETCHES_NAMED} more such stretches",
            why="no series of the operator",
            fix="See the rule for absent metrics in the operator's alerts.",
        )


def _stretches(known: Sequence[bool]) -> Iterator[tuple[int, int, str]]:
    """First piece, the one after the last, and why; none where nothing at all is known."""
    begin = 0
    for there, group in groupby(known):
        end = begin + len(list(group))
        if not there and any(known):
            outer = BEFORE if begin == 0 else AFTER
            yield begin, end, outer if begin == 0 or end == len(known) else BETWEEN
        begin = end


def _totals(recorded: Recorded, scope: Scope) -> Iterator[Gap]:
    for whose in _in_scope(recorded.began_late, scope):
        yield Gap(
            what=f"what {whose} cost before it was first recorded in this time",
            why="its total is not there at the begin",
            fix="None, if that is when it was made.",
        )
    for whose in _in_scope(recorded.fell, scope):
        yield Gap(
            what=f"part of what {whose} cost",
            why="its total fell: a leader knew less than the one before, or it was made anew under its old name",
            fix="Let the operator read the store (prometheus.url), and keep its checkpoints.",
        )


def _in_scope(names: Sequence[str], scope: Scope) -> list[str]:
    return [one for one in names if scope.everywhere or one.partition("/")[0] == scope.namespace]


def _not_recorded(recorded: Recorded, policies: Sequence[PolicyPart]) -> Iterator[Gap]:
    for series, what in NEEDED.items():
        without = [
            f"{one.namespace}/{one.name}"
            for one in policies
            if recorded.mean(series, (one.namespace, one.name)) is None
        ]
        if without:
            yield Gap(
                what=f"{what}, of {_few(without)}",
                why=f"inference_cost_{series} has no samples: not measured, or not exported",
                fix="See `kubectl inference-cost explain` for why it is not measured.",
            )


def _not_compared(policies: Sequence[PolicyPart], seen: Seen) -> Iterator[Gap]:
    for one in policies:
        name = f"{one.namespace}/{one.name}"
        if not one.savings:
            status = (seen.policies.get((one.namespace, one.name)) or {}).get("status") or {}
            now = (status.get("savings") or {}).get("message")
            yield Gap(
                what=f"savings of {name}",
                why="its two sides were never both known in this time"
                + (f". {now}" if now else ""),
                fix="See `kubectl inference-cost savings -o wide`.",
            )
        for savings in one.savings:
            if savings.why_not:
                kind = "potential savings" if savings.state == POTENTIAL else "savings"
                yield Gap(
                    what=f"{kind} of {name}", why=savings.why_not, fix="Meet the objective first."
                )


def _prices(policies: Sequence[PolicyPart]) -> Iterator[Gap]:
    for one in policies:
        name = f"{one.namespace}/{one.name}"
        if one.per_hour is None and one.mode in ("Recommend", "Enforce"):
            yield Gap(
                what=f"what {name} costs now",
                why="a price is not known, or nothing runs",
                fix="Give its nodes a price with a CapacityPool.",
            )
        elif one.coverage_percent is not None and one.coverage_percent < FULL_PERCENT:
            yield Gap(
                what=f"{100 - one.coverage_percent:.1f} % of this month of {name}",
                why="nodes or prices were not known, or the operator was away",
                fix="See status.cost.coveragePercent.",
            )


def _few(names: Sequence[str]) -> str:
    shown = ", ".join(names[:3])
    return f"{shown} and {len(names) - 3} more" if len(names) > 3 else shown  # noqa: PLR2004
