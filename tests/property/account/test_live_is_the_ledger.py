"""What the operator counts look by look is what the ledger makes of the same history afterwards, line by line.

Where every change is looked at. A pod is bound to a node that is ready, as schedulers do it: of one that is not, the
ledger is nobody's, while the operator cannot tell a first start from a failure and charges the replica.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from inference_cost.account.costs import account
from inference_cost.account.ledger.build import ledger
from inference_cost.account.ledger.history import History, NodeLife, Owner, Span, Stay, Use
from inference_cost.account.ledger.lines import Kind
from inference_cost.model.observation import PolicyObservation, Snapshot
from inference_cost.model.policy import PolicyKey
from inference_cost.model.warm import Holder, WarmPool
from inference_cost.model.workload import Stranger
from tests.unit.account.ledger.histories import HOUR, life, stay
from tests.unit.account.worlds import NOON, key, observation, snapshot

END = 3600
POLICIES = ("first", "second")
Lines = dict[tuple[Kind, PolicyKey | None], Decimal]
seconds = st.integers(0, END)
OWNERS = [
    *(Owner(use=Use.REPLICA, policy=key(name), variant="default") for name in POLICIES),
    *(Owner(use=use) for use in Use if use is not Use.REPLICA),
]


@st.composite
def lives(draw: st.DrawFn, name: str) -> NodeLife:
    launched, ready, gone = sorted(draw(st.tuples(seconds, seconds, seconds)))
    return life(
        name,
        draw(st.sampled_from(["1", "3.6", "12.3456"])),
        launched=launched / HOUR,
        ready=ready / HOUR,
        gone=draw(st.sampled_from([gone / HOUR, None])),
        allocatable_gpus=draw(st.integers(1, 4)),
        allocatable_cpu_millicores=8000,
    )


@st.composite
def stays(draw: st.DrawFn, name: str, on: NodeLife) -> Stay:
    """From the node's readiness on, until it is gone."""
    first = int((on.ready_at or NOON) - NOON)
    last = END if on.gone_at is None else int(on.gone_at - NOON)
    bound, ready, ended = sorted(draw(st.tuples(*3 * [st.integers(first, last)])))
    return stay(
        name,
        on.node.name,
        bound=bound / HOUR,
        ready=draw(st.sampled_from([ready / HOUR, None])),
        ended=ended / HOUR,
        owner=draw(st.sampled_from(OWNERS)),
        gpus=draw(st.integers(0, 2)),
        cpu_millicores=draw(st.integers(1, 9000)),
    )


ANCHOR = life("n0", "1", launched=0, allocatable_gpus=1)  # while a replica is there its pool counts
ANCHORED = stay("p0", "n0", owner=OWNERS[0], gpus=1)


@st.composite
def histories(draw: st.DrawFn) -> History:
    nodes = [draw(lives(f"n{i + 1}")) for i in range(draw(st.integers(0, 3)))]
    pods = [
        draw(stays(f"p{i + 1}", draw(st.sampled_from(nodes))))
        for i in range(draw(st.integers(0, 6)) if nodes else 0)
    ]
    return History(nodes=(ANCHOR, *nodes), stays=(ANCHORED, *pods))


def by_the_ledger(history: History) -> Lines:
    found: Lines = defaultdict(Decimal)
    for line in ledger(history, Span(begin=NOON, end=NOON + END)).lines:
        found[line.key.kind, line.key.policy] += line.total.amount
    return found


def live(history: History) -> Lines:
    costs = account(snapshot(at=NOON), {}, {})
    for at in _moments(history):
        costs = account(_seen(history, at), {}, costs.memory, pool_memory=costs.pool_memory)
    found: Lines = defaultdict(Decimal)
    for policy, memory in costs.memory.items():
        for line, amount in memory.totals:
            found[line.kind, policy] += amount
    for memory in costs.pool_memory.values():
        for line, amount in memory.totals:
            found[line.kind, None] += amount
    return found


def _moments(history: History) -> list[float]:
    moments = {NOON, NOON + END}
    for on in history.nodes:
        moments |= {t for t in (on.node.created_at, on.ready_at, on.gone_at) if t is not None}
    for one in history.stays:
        moments |= {t for t in (one.bound_at, one.ready_at, one.ended_at) if t is not None}
    return sorted(moments)


def _seen(history: History, at: float) -> Snapshot:
    """As the operator sees it then; absences of up to a day are none."""
    nodes = tuple(
        replace(
            on.node,
            price=on.prices[0].price,
            ready=on.ready_at is not None and at >= on.ready_at,
        )
        for on in history.nodes
        if on.node.created_at <= at and (on.gone_at is None or at < on.gone_at)
    )
    there = [
        one
        for one in history.stays
        if one.bound_at <= at and (one.ended_at is None or at < one.ended_at)
    ]
    holders = tuple(_holder(one) for one in there if one.owner.use is Use.WARM)
    world = snapshot(*(_policy(name, there, at) for name in POLICIES), nodes=nodes, at=at)
    return replace(
        world,
        warm={"l4": WarmPool(name="l4", spec=None, holders=holders)},
        strangers={on.name: tuple(_strangers(on.name, there)) for on in nodes},
        settings=replace(world.settings, tick_seconds=86_400.0),
    )


def _policy(name: str, there: list[Stay], at: float) -> PolicyObservation:
    pods = (
        replace(one.pod, ready_at=one.ready_at if _ready(one, at) else None)
        for one in there
        if one.owner.policy == key(name)
    )
    return observation(*pods, name=name)


def _ready(one: Stay, at: float) -> bool:
    return one.ready_at is not None and at >= one.ready_at


def _holder(one: Stay) -> Holder:
    pod = one.pod
    return Holder(
        uid=pod.uid,
        node=pod.node,
        created_at=one.bound_at,
        ready_at=None,
        gpus=pod.gpus,
        cpu_millicores=pod.cpu_millicores,
    )


def _strangers(node: str, there: list[Stay]) -> Iterator[Stranger]:
    for one in there:
        if one.pod.node == node and one.owner.use in (Use.OVERHEAD, Use.OTHER):
            yield Stranger(
                name=one.pod.name,
                uid=one.pod.uid,
                gpus=one.pod.gpus,
                cpu_millicores=one.pod.cpu_millicores,
                memory_bytes=0,
                system=one.owner.use is Use.OVERHEAD,
            )


@settings(max_examples=60, deadline=None)
@given(history=histories())
def test_line_by_line(history: History) -> None:
    counted, made = live(history), by_the_ledger(history)
    for line in counted.keys() | made.keys():
        assert abs(counted[line] - made[line]) < Decimal("0.000001"), line
