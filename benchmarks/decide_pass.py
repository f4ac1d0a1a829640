"""Time of one decision pass and of the accounts after it, for 1 to 5,000 policies, and bytes remembered of each.

    python -m benchmarks.decide_pass [--ticks 9]

No two policies are alike: each has its own load, which differs from tick to tick, its own service time, pods, nodes
and memory of twenty minutes. Garbage is collected as seldom as in the operator. Seconds are those of the processor,
median and least of the ticks: once a minute, at every fourth tick, all have a window more to compare with their models,
where those of a cluster take turns. Machines differ, so each figure also stands as a ratio to a fixed piece of
arithmetic timed in the same run.
"""

import argparse
import pickle
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from math import sin

from inference_cost.account.costs import account
from inference_cost.control.garbage import collect_seldom
from inference_cost.decide.engine import decide
from inference_cost.model.memory import Memory, PolicyMemory
from inference_cost.model.observation import PolicyObservation, Snapshot
from inference_cost.model.policy import Baseline
from inference_cost.model.signals import PodSignals, Signals
from inference_cost.model.workload import Pod, Workload
from tests.unit.decide.worlds import (
    ESTIMATE,
    NOON,
    gateway,
    learned,
    observation,
    pod,
    pod_signals,
    policy,
    priced_node,
    signals,
    workload,
)

SIZES = (1, 100, 1000, 5000)
REPLICAS = 4
TICK_SECONDS = 15.0
KINDS = 25  # of loads with a past: more would only take longer
PAST_TICKS = 80
GOLDEN = 0.618034  # its multiples spread evenly
BASELINES = tuple(Baseline)


def slowness(number: int) -> float:
    """Service time of a policy ÷ that of the test world, 0.5 to 2; nearly that of its kind."""
    return (0.5 + 1.5 * (number % KINDS * GOLDEN % 1)) * (1 + 0.03 * sin(number))


def rates_of(number: int, tick: int) -> list[float]:
    """Requests/s of each pod."""
    even = (30.0 + 45.0 * (number % KINDS * GOLDEN**2 % 1)) * (1 + 0.1 * sin(number))
    wave = 1 + 0.15 * sin(tick / 9 + number)
    return [
        even * wave * (1 + 0.02 * sin(7 * tick + i)) / slowness(number) for i in range(REPLICAS)
    ]


def pods_of(number: int) -> tuple[Pod, ...]:
    names = [f"m{number:04}-{i}" for i in range(REPLICAS)]
    return tuple(pod(name, node=f"node-{name}", age=3600.0 + number) for name in names)


def reported(pod_name: str, rate: float, slow: float, gpu: float) -> PodSignals:
    """As of a server that takes the policy's time for a batch."""
    batch, requests = max(1.0, rate * slow * 0.06), rate * 60.0
    compute = requests * (0.04 + 0.005 * min(batch + 1, 8)) * slow
    return pod_signals(
        pod_name, rate, executions=requests / batch, compute_seconds=compute, gpu=gpu
    )


def signals_of(number: int, tick: int, pods: tuple[Pod, ...]) -> Signals:
    rates, gpu = rates_of(number, tick), 0.5 + number % 40 / 100
    seen = signals(
        0.0, 0, gateway=gateway(sum(rates), late=0.002), sampled_at=NOON + tick * TICK_SECONDS
    )
    report = tuple(
        reported(one.name, rate, slowness(number), gpu)
        for one, rate in zip(pods, rates, strict=True)
    )
    return replace(seen, pods=report)


def observation_of(number: int, tick: int) -> PolicyObservation:
    pods = pods_of(number)
    return observation(
        of=policy(f"m{number:04}", highest=50, baseline=BASELINES[number % len(BASELINES)]),
        running=workload(REPLICAS, pods),
        seen=signals_of(number, tick, pods),
    )


def snapshot_of(policies: int, tick: int) -> Snapshot:
    seen = tuple(observation_of(number, tick) for number in range(policies))
    names = [one.node for o in seen for one in pods_in(o)]
    return Snapshot(
        at=NOON + tick * TICK_SECONDS,
        observations=seen,
        nodes={name: priced_node(name) for name in names},
    )


def pods_in(seen: PolicyObservation) -> tuple[Pod, ...]:
    return tuple(one for work in seen.workloads if isinstance(work, Workload) for one in work.pods)


def first_memory(number: int) -> PolicyMemory:
    slow = slowness(number)
    (s11, s12, s22), (v1, v2) = ESTIMATE.information, ESTIMATE.vector
    known = replace(
        ESTIMATE,
        information=(s11 / slow**2, s12 / slow**2, s22 / slow**2),
        vector=(v1 / slow, v2 / slow),
    )
    return learned(needs=3, estimates=(known,))


def memories_of(policies: int) -> Memory:
    """Each policy begins with what its kind has seen, and goes its own way from there."""
    few = range(min(policies, KINDS))
    keys = [policy(f"m{number:04}").key for number in range(policies)]
    memory = Memory(policies={keys[number]: first_memory(number) for number in few})
    for tick in range(-PAST_TICKS, 0):
        memory = decide(snapshot_of(len(few), tick), memory).memory
    past = [memory.policies[keys[number]] for number in few]
    return Memory(policies={key: past[i % KINDS] for i, key in enumerate(keys)})


def seconds(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def baseline() -> int:
    """About a millisecond of plain arithmetic."""
    return sum(i * i % 7 for i in range(10_000))


@dataclass(frozen=True, slots=True, kw_only=True)
class Took:
    """Seconds by tick, and bytes of a policy's memory."""

    decide: list[float]
    account: list[float]
    kept: int


def run(policies: int, ticks: int) -> Took:
    """After a warm-up, memory carried from tick to tick."""
    memory, costs = memories_of(policies), None
    decided, accounted = [], []
    for tick in range(ticks + 1):
        snapshot = snapshot_of(policies, tick)
        begin = time.process_time()
        decisions = decide(snapshot, memory)
        between = time.process_time()
        before = {} if costs is None else costs.memory
        pools = {} if costs is None else costs.pool_memory
        costs = account(snapshot, decisions.plans, before, pool_memory=pools)
        end = time.process_time()
        memory = decisions.memory
        decided.append(between - begin)
        accounted.append(end - between)
    kept = max(len(pickle.dumps(one)) for one in memory.policies.values())
    return Took(decide=decided[1:], account=accounted[1:], kept=kept)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ticks", type=int, default=9)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    arguments = parser.parse_args()
    collect_seldom()
    unit = min(seconds(baseline) for _ in range(50))
    print(
        "policies | pass ms (least) | ms/policy | ÷ baseline | accounts ms (least) | bytes/policy"
    )
    for policies in arguments.sizes:
        took = run(policies, arguments.ticks)
        each = min(took.decide) / policies
        print(
            f"{policies:>8} | {_milliseconds(took.decide)} | {each * 1e3:>9.3f} | {each / unit:>10.2f}"
            f" | {_milliseconds(took.account)} | {took.kept:>12}"
        )
    print(f"baseline {unit * 1e3:.3f} ms")


def _milliseconds(times: list[float]) -> str:
    return f"{statistics.median(times) * 1e3:.1f} ({min(times) * 1e3:.1f})"


if __name__ == "__main__":
    main()
