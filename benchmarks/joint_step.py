"""How close the share-out of limited pools comes to the cheapest possible, and how long it takes.

    python -m benchmarks.joint_step [--sizes 50 300 1000 5000]

Part one is the program alone: policies of one to five replicas of a quarter to a whole node, that may run in one or two
limited spot pools and mostly on demand, some of them there already. Up to fifty policies are compared with the same
question written down as one column per mix (solved in whole numbers, as the tests do), more with what no solution
undercuts. Part two is the step within a decision: what is shared out, and where those run then that get less, when a
need moved and when nobody asks for anything else. Seconds are those of one core.
"""

import argparse
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from inference_cost.decide.joint.share import share_out
from inference_cost.decide.mix.program import EXACT, solve
from inference_cost.decide.plan_policy import propose
from inference_cost.decide.proposal import Proposed, with_grant
from inference_cost.model.observation import Snapshot
from inference_cost.model.policy import PolicyKey
from inference_cost.model.workload import PoolLimits
from tests.property.decide.test_program_properties import cost, instance, oracle
from tests.unit.decide.joint.teams import Team, limited, memory_of, seen

SIZES = (50, 300, 1000, 5000)
SHARES = {"scarce": 0.3, "loose": 0.8}
REPEATS = 3


@dataclass(frozen=True, slots=True)
class Row:
    policies: int
    room: str
    seconds: float
    gap: float
    against: str


def measured(policies: int, room: str, share: float) -> Row:
    claims, rooms = instance(policies, policies, share)
    times = []
    for _ in range(REPEATS):
        begin = time.process_time()
        found = solve(claims, rooms)
        times.append(time.process_time() - begin)
    if found is None:
        raise RuntimeError("no solution was found")
    if policies <= EXACT:
        best, against = oracle(claims, rooms), "all mixes"
        return Row(policies, room, min(times), cost(claims, found) / best - 1, against)
    return Row(policies, room, min(times), found.cost / found.least - 1, "lower bound")


def teams(count: int) -> list[Team]:
    """Needs of two to six, half of it there on spot or on demand."""
    return [
        Team(
            name=f"t{i:05}",
            needs=2 + i % 5,
            spot=(i % 3) if i % 2 else 0,
            safe=0 if i % 2 else 1 + i % 3,
            priority=(i % 4 == 0) * 1000,
        )
        for i in range(count)
    ]


def proposals_of(shot: Snapshot, some: Sequence[Team]) -> Mapping[PolicyKey, Proposed]:
    memory = memory_of(some)
    return {
        one.policy.key: propose(one, memory.policies[one.policy.key], shot)
        for one in shot.observations
    }


def step(count: int) -> tuple[float, float, int]:
    """Seconds with a full solution, and with what was shared out before; how many get less."""
    some = teams(count)
    pool = limited(sum(one.needs for one in some) // 2)
    both = PoolLimits(nodes=pool.limits.nodes if pool.limits else 0, per_hour=Decimal(10**6))
    shot = seen(some, replace(pool, limits=both))
    proposals = proposals_of(shot, some)
    whole, again = [], []
    for _ in range(REPEATS):
        begin = time.process_time()
        out = share_out(proposals, shot, ())
        less = [with_grant(proposals[key], grant) for key, grant in out.grants.items()]
        whole.append(time.process_time() - begin)
        begin = time.process_time()
        out = share_out(proposals, shot, out.memory)
        less = [with_grant(proposals[key], grant) for key, grant in out.grants.items()]
        again.append(time.process_time() - begin)
    return statistics.median(whole), statistics.median(again), len(less)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    sizes = parser.parse_args().sizes
    print(f"{'policies':>8} {'room':>7} {'seconds':>8} {'above':>9} against")
    for size in sizes:
        for room, share in SHARES.items():
            row = measured(size, room, share)
            print(
                f"{row.policies:>8} {row.room:>7} {row.seconds:>8.3f} {row.gap:>9.4%} {row.against}"
            )
    print(f"\n{'policies':>8} {'solved':>8} {'as before':>9} {'get less':>8}")
    for size in sizes:
        whole, again, less = step(size)
        print(f"{size:>8} {whole:>8.3f} {again:>9.3f} {less:>8}")


if __name__ == "__main__":
    main()
