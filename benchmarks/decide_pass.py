"""Time of one decision pass, milliseconds per policy for 1 to 5,000 policies, and bytes remembered of each.

    python benchmarks/decide_pass.py [--ticks 5]

Machines differ, so each figure also stands as a ratio to a fixed piece of arithmetic timed in the same run.
"""

import argparse
import pickle
import statistics
import time
from collections.abc import Callable
from dataclasses import replace

from inference_cost.decide.engine import decide
from inference_cost.model.memory import Memory
from inference_cost.model.observation import Snapshot
from tests.unit.decide.worlds import NOON, gateway, learned, observation, policy, signals

SIZES = (1, 100, 1000, 5000)
REPLICAS = 4
TICK_SECONDS = 15.0


def snapshot_of(policies: int, tick: int) -> Snapshot:
    at = NOON + tick * TICK_SECONDS
    rate = 250.0 + 5.0 * (tick % 7)
    seen = replace(signals(rate, REPLICAS, gateway=gateway(rate)), sampled_at=at)
    return Snapshot(
        at=at,
        observations=tuple(
            observation(replicas=REPLICAS, of=policy(f"m{i:04}", highest=50), seen=seen)
            for i in range(policies)
        ),
    )


def seconds(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def baseline() -> int:
    """About a millisecond of plain arithmetic."""
    return sum(i * i % 7 for i in range(10_000))


def run(policies: int, ticks: int) -> tuple[float, int]:
    """Median seconds of one pass after a warm-up, memory carried from tick to tick; bytes of a policy's memory."""
    first = snapshot_of(policies, 0)
    memory = Memory(policies={o.policy.key: learned(needs=3) for o in first.observations})
    times = []
    for tick in range(ticks + 1):
        snapshot = snapshot_of(policies, tick)
        begin = time.perf_counter()
        memory = decide(snapshot, memory).memory
        times.append(time.perf_counter() - begin)
    kept = max(len(pickle.dumps(one)) for one in memory.policies.values())
    return statistics.median(times[1:]), kept


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ticks", type=int, default=5)
    ticks = parser.parse_args().ticks
    unit = statistics.median(seconds(baseline) for _ in range(50))
    print(
        f"{'policies':>8} {'pass ms':>10} {'ms/policy':>10} {'÷ baseline':>10} {'bytes/policy':>12}"
    )
    for policies in SIZES:
        took, kept = run(policies, ticks)
        each = took / policies
        print(
            f"{policies:>8} {took * 1e3:>10.2f} {each * 1e3:>10.3f} {each / unit:>10.2f} {kept:>12}"
        )
    print(f"baseline {unit * 1e3:.3f} ms")


if __name__ == "__main__":
    main()
