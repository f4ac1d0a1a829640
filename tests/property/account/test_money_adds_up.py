"""Money is neither lost nor invented: over any node, and over any way to cut the time."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from inference_cost.account.accrual import CostLine, Running
from inference_cost.account.calendar import month_start
from inference_cost.account.costs import account
from inference_cost.account.ledger.lines import Kind
from inference_cost.account.month import AccountMemory, advance
from inference_cost.account.shares import split_node
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
