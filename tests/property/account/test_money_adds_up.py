"""Money is neither lost nor invented: over any node, and over any way to cut the time."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from inference_cost.account.accrual import CostLine, Running
from inference_cost.account.calendar import month_start
from inference_cost.account.costs import account
from inference_cost.account.ledger.lines import Kind
from inference_cost.account.month import AccountMemory, advance
from inference_cost.account.occupancy import held_nodes, owners_of, split_nodes
from inference_cost.account.savings.bearers import left_nodes, parts_by_policy
from inference_cost.account.savings.whole_nodes import total_of
from inference_cost.account.shares import split_node
from inference_cost.model.observation import Snapshot
from inference_cost.model.reading import Missing
from inference_cost.model.workload import CapacityType, Pod
from tests.unit.account.worlds import node, observation, pod, snapshot

START = month_start("2025-11")
LINE = CostLine(kind=Kind.SERVING, pool="l4", capacity_type=CapacityType.ON_DEMAND)
CENT = Decimal("0.01")
prices = st.decimals(min_value=0, max_value=1000, places=5)
requests = st.tuples(
    st.integers(0, 8), st.integers(0, 64_000), st.integers(0, 2**38)
)  # GPUs, millicores, bytes


def _pods(asked: list[tuple[int, int, int]], on: str = "n1") -> list[Pod]:
    return [
        pod(f"{on}-p{i}", on, gpus=g, cpu_millicores=c, memory_bytes=m)
        for i, (g, c, m) in enumerate(asked)
    ]


@given(price=prices, gpus=st.integers(0, 8), asked=st.lists(requests, max_size=12))
def test_shares_and_idle_are_the_price_of_the_node(
    price: Decimal, gpus: int, asked: list[tuple[int, int, int]]
) -> None:
    on = node(
        per_hour=str(price),
        allocatable_gpus=gpus,
        allocatable_cpu_millicores=32_000,
        allocatable_memory_bytes=2**37,
    )
    split = split_node(on, _pods(asked), "USD")
    shares = [s for s in split.shares.values() if isinstance(s, Decimal)]
    assert isinstance(split.idle, Decimal)
    assert sum(shares, split.idle) == price
    assert split.idle >= 0
    assert all(s >= 0 for s in shares)


@given(
    price=prices,
    layout=st.lists(st.lists(requests, max_size=4), min_size=1, max_size=4),
)
def test_policies_and_idle_add_up_to_the_nodes_of_the_pools(
    price: Decimal, layout: list[list[tuple[int, int, int]]]
) -> None:
    nodes = tuple(node(f"n{i}", str(price), allocatable_gpus=8) for i in range(len(layout)))
    seen = [
        observation(*_pods(asked, f"n{i}"), name=f"policy-{i}") for i, asked in enumerate(layout)
    ]
    costs = account(snapshot(*seen, nodes=nodes), {}, {})
    charged = sum((c.priced_per_hour for c in costs.policies.values()), Decimal(0))
    idle = sum((p.idle_per_hour for p in costs.pools), Decimal(0))
    assert charged + idle == sum((p.per_hour for p in costs.pools), Decimal(0))


def _run(price: Decimal, times: list[float]) -> AccountMemory:
    memory: AccountMemory | None = None
    for at in times:
        memory = advance(
            memory,
            at=at,
            per_hour=price,
            running=[Running(line=LINE, per_hour=price, since=at)],
            gap_after_seconds=1e9,
        )
    assert memory is not None
    return memory


@given(
    price=prices,
    cuts=st.lists(st.floats(0, 50 * 86_400), max_size=20),
    length=st.floats(0, 50 * 86_400),
)
def test_many_short_ticks_cost_what_one_long_tick_costs(
    price: Decimal, cuts: list[float], length: float
) -> None:
    inner = sorted(START + c for c in cuts if c <= length)
    long = _run(price, [START, START + length])
    short = _run(price, [START, *inner, START + length])
    assert abs(long.amount - short.amount) < CENT / 1000
    assert (long.month, long.last_at) == (short.month, short.last_at)


POLICIES = ("first", "second")
placements = st.lists(  # look by look: on each of three nodes, how many replicas each policy has
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=3, max_size=3), max_size=5
)


def _look(counts: list[tuple[int, int]], at: float) -> Snapshot:
    nodes = tuple(node(f"n{i}", f"{i + 1}", allocatable_gpus=4) for i in range(len(counts)))
    seen = (
        observation(
            *(
                pod(f"{name}-{i}-{j}", f"n{i}")
                for i, both in enumerate(counts)
                for j in range(both[which])
            ),
            name=name,
        )
        for which, name in enumerate(POLICIES)
    )
    return snapshot(*seen, nodes=nodes, at=at)


@given(
    first=st.lists(st.sampled_from([(1, 0), (0, 2), (2, 1)]), min_size=3, max_size=3),
    then=placements,
)
def test_whoever_comes_and_goes_each_node_is_charged_and_borne_once(
    first: list[tuple[int, int]], then: list[list[tuple[int, int]]]
) -> None:
    """Of nodes that stay: shares and the pool's lines add up to them, and so does what policies bear as a whole."""
    costs = account(snapshot(), {}, {})
    for i, counts in enumerate([first, *then]):
        world = _look(counts, START + 15.0 * i)
        owners, held = owners_of(world), held_nodes(world)
        pods = {key: [r.pod for r in replicas] for key, replicas in owners.items()}
        known = {key: memory.last_uses for key, memory in costs.memory.items()}
        left = left_nodes(known, pods, world.nodes, held)
        costs = account(world, {}, costs.memory, pool_memory=costs.pool_memory)
        charged = sum((c.priced_per_hour for c in costs.policies.values()), Decimal(0))
        assert charged + costs.pools[0].idle_per_hour == costs.pools[0].per_hour == 6
        splits = split_nodes(world, owners, "USD", held=held, left=(), counted=costs.pool_memory)
        parts = parts_by_policy(pods, splits, left, held).values()
        borne = sum((total_of(p) for p in parts if not isinstance(p, Missing)), Decimal(0))
        assert abs(borne - 6) < CENT / 1_000_000
