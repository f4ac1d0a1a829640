"""Draws the pictures of docs/how-it-decides.md: `python -m benchmarks.pictures` (a minute; needs matplotlib).

A day of the short benchmark is decided tick by tick; the pictures show what was seen, what was ordered, and the record
of all headroom rules at its end.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import matplotlib.pyplot as plt
import numpy as np

from benchmarks.replay.plan import usual_case
from benchmarks.replay.scenarios import largest_load_of, scenario_of
from benchmarks.traces.catalog import QUICK_TRACES
from inference_cost.decide.headroom.learned import DEMAND, RULE, from_bytes, views
from inference_cost.decide.headroom.rules import RULES
from inference_cost.decide.latency.loads import largest_load, seconds_at
from inference_cost.decide.latency.tables import Batching, Replica
from inference_cost.model.plan import Demand, Plan, Profile
from inference_cost.model.policy import LatencyObjective
from inference_cost.simulate.ours import Operator
from inference_cost.simulate.world.clock import advance
from inference_cost.simulate.world.new import new_world

FOLDER: Final = Path(__file__).parent.parent / "docs" / "pictures"
TRACE: Final = "mlarge-day"
BLUE, ORANGE, GRAY, RED = "#2563eb", "#d97706", "#6b7280", "#dc2626"
OBJECTIVE: Final = LatencyObjective(threshold_seconds=0.3, target_fraction=0.99)
REPLICA: Final = Replica(
    alpha_seconds=0.0407, beta_seconds=0.00504, max_batch_size=8, batching=Batching.GREEDY
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """Of the replay; loads in replicas that would carry them."""

    hour: float
    load: float
    ready_for: float
    replicas: int


def a_day() -> tuple[list[Tick], Operator]:
    trace = next(trace for trace in QUICK_TRACES if trace.name == TRACE)
    case = usual_case(trace)
    scenario = scenario_of(case, trace.load(None, seed=case.seed), largest_load_of(case))
    world, operator, ticks = new_world(scenario), Operator(scenario), list[Tick]()
    begin = None
    while advance(world, scenario.tick_seconds):
        plan = operator.tick(world)
        begin = plan.at if begin is None else begin
        ticks += _tick(plan, plan.at - begin)
    return ticks, operator


def _tick(plan: Plan, seconds: float) -> list[Tick]:
    if not isinstance(plan.demand, Demand) or not isinstance(plan.profile, Profile):
        return []
    each = plan.profile.load_per_replica
    return [
        Tick(
            hour=seconds / 3600,
            load=plan.demand.now / each,
            ready_for=plan.demand.forecast / each,
            replicas=plan.desired,
        )
    ]


def draw_day(ticks: list[Tick]) -> None:
    figure, axes = _figure()
    ticks = ticks[::4]  # a minute
    hours = [tick.hour for tick in ticks]
    axes.plot(hours, [tick.load for tick in ticks], color=BLUE, lw=0.8, label="load now")
    axes.plot(
        hours,
        [tick.ready_for for tick in ticks],
        color=ORANGE,
        lw=0.6,
        alpha=0.8,
        label="load to be ready for, a start-up time ahead",
    )
    axes.step(
        hours,
        [tick.replicas for tick in ticks],
        color=GRAY,
        lw=1.2,
        where="post",
        label="replicas ordered",
    )
    axes.set(xlabel="hour of the day", ylabel="replicas", xlim=(0, 24), ylim=(0, None))
    _save(figure, axes, "a-day.svg")


def draw_rules(operator: Operator) -> None:
    """Cost and lateness of every rule on that day, by the record that the choice is made from."""
    [memory] = operator.memory.policies.values()
    learned = views(from_bytes(memory.headroom))
    late = 100 * learned.late / learned.numbers[DEMAND]
    cost = learned.cost / learned.cost.min()
    figure, axes = _figure()
    for base, color, label in (
        (0, BLUE, "a share of what replicas carry"),
        (1, ORANGE, "expected load + deviations"),
    ):
        mine = [i for i, rule in enumerate(RULES) if min(rule.base, 1) == base]
        axes.scatter(cost[mine], np.maximum(late[mine], 1e-3), s=14, color=color, label=label)
    chosen = int(learned.numbers[RULE])
    axes.scatter(
        cost[chosen],
        max(late[chosen], 1e-3),
        s=90,
        facecolors="none",
        edgecolors=RED,
        label="followed",
    )
    axes.axhline(1.0, color=RED, lw=0.8, ls="--", label="1 % may be late")
    axes.set(
        xlabel="replica-hours, 1 = the fewest of all rules",
        ylabel="requests late, %",
        yscale="log",
        xlim=(0.98, 1.45),
    )
    _save(figure, axes, "the-rules.svg")


def draw_latency() -> None:
    """99th percentile by load in the three ways in which Triton forms batches."""
    figure, axes = _figure()
    shares = np.linspace(0.02, 0.97, 96)
    for mode, color, label in (
        (Batching.GREEDY, BLUE, "no queue delay"),
        (Batching.DELAYED, ORANGE, "queue delay 2 ms"),
        (Batching.STALLING, GRAY, "queue policy"),
    ):
        replica = replace(REPLICA, batching=mode, queue_delay_seconds=0.002)
        times = [seconds_at(replica, OBJECTIVE, share * replica.capacity) for share in shares]
        axes.plot(100 * shares, 1000 * np.array(times), color=color, label=label)
        most = largest_load(replica, OBJECTIVE).per_second / replica.capacity
        axes.axvline(100 * most, color=color, lw=0.8, ls=":")
    axes.axhline(300, color=RED, lw=0.8, ls="--", label="objective: 300 ms")
    axes.set(
        xlabel="load of one replica, % of its capacity",
        ylabel="99 % within, ms",
        xlim=(0, 100),
        ylim=(0, 600),
    )
    _save(figure, axes, "latency.svg")


def _figure() -> tuple[Any, Any]:
    return plt.subplots(figsize=(8, 3.2), layout="constrained")


def _save(figure: Any, axes: Any, name: str) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=8)
    FOLDER.mkdir(exist_ok=True)
    figure.savefig(FOLDER / name, metadata={"Date": None})


def main() -> None:
    plt.rcParams.update({"svg.hashsalt": "inference-cost-operator", "svg.fonttype": "none"})
    ticks, operator = a_day()
    draw_day(ticks)
    draw_rules(operator)
    draw_latency()


if __name__ == "__main__":
    main()
