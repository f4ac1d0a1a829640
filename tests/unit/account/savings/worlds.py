"""A fleet and its demand over hours, look by look, as the accounts see it. Nodes cost 4 an hour."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from inference_cost.account.costs import Costs, account
from inference_cost.account.month import AccountMemory
from inference_cost.account.savings.savings import Savings
from inference_cost.model.plan import (
    Attainment,
    Demand,
    LimitedBy,
    Plan,
    Prediction,
    Profile,
    ProfileSource,
)
from inference_cost.model.policy import Baseline, Mode, Objective, PolicyKey
from inference_cost.model.reading import Missing
from inference_cost.model.workload import Node, Pod
from tests.unit.account.worlds import NOON, UNREAD, key, node, observation, pod, snapshot
from tests.unit.account.worlds import plan as plain

HOUR, MINUTE = 3600.0, 60.0
LOAD = 100.0  # requests/s that one replica carries
PROFILE = Profile(
    template_hash="abc",
    gpu_product="L4",
    alpha_seconds=0.01,
    beta_seconds=0.001,
    max_batch_size=8,
    instances=1,
    load_per_replica=LOAD,
    capacity_per_replica=2 * LOAD,
    error_fraction=0.01,
    source=ProfileSource.COUNTERS,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Some hours in which nothing changes. `empty_nodes`: new ones; `staying`: nodes of before that lost theirs."""

    hours: float
    demand: float | None  # requests/s
    replicas: int
    desired: int | None = None  # None: as it is
    mode: Mode = Mode.ENFORCE
    attained: float | None = 0.995
    empty_nodes: int = 0
    staying: int = 0
    per_node: int = 1
    price: str | None = "4"
    limited_by: LimitedBy = LimitedBy.NOTHING


def run(
    *stretches: Stretch,
    baseline: Baseline = Baseline.OBSERVED,
    tick: float = 5 * MINUTE,
    start: float = NOON,
    objective: Objective | None = None,
    remembered: Mapping[PolicyKey, AccountMemory] | None = None,
) -> Iterator[Costs]:
    """Costs look by look; the memory goes through all, from what is `remembered` on."""
    memory = dict(remembered or {})
    at = start
    for stretch in stretches:
        for _ in range(round(stretch.hours * HOUR / tick)):
            costs = _look(
                stretch, baseline=baseline, memory=memory, at=at, tick=tick, objective=objective
            )
            memory = dict(costs.memory)
            yield costs
            at += tick


def ended(costs: Iterator[Costs]) -> Savings:
    last: Savings | Missing | None = None
    for one in costs:
        last = one.policies[key()].savings
    assert isinstance(last, Savings)
    return last


def amount(costs: Iterator[Costs]) -> Decimal:
    found = ended(costs).amount
    assert isinstance(found, Decimal), found.detail
    return found.quantize(Decimal("0.01"))


def _look(
    stretch: Stretch,
    *,
    baseline: Baseline,
    memory: dict[PolicyKey, AccountMemory],
    at: float,
    tick: float,
    objective: Objective | None,
) -> Costs:
    pods, nodes = _layout(stretch)
    seen = observation(*pods)
    policy = replace(seen.policy, mode=stretch.mode, baseline=baseline)
    policy = policy if objective is None else replace(policy, objective=objective)
    world = snapshot(replace(seen, policy=policy), nodes=nodes, at=at)
    settings = replace(world.settings, tick_seconds=tick)
    return account(replace(world, settings=settings), {key(): _plan(stretch)}, memory)


def _layout(stretch: Stretch) -> tuple[Sequence[Pod], tuple[Node, ...]]:
    pods = [
        pod(f"p{i}", f"n{i // stretch.per_node}", created_at=NOON - HOUR)
        for i in range(stretch.replicas)
    ]
    used = list(dict.fromkeys(p.node for p in pods))
    stay = (f"n{i}" for i in range(len(used), len(used) + stretch.staying))
    names = [*used, *stay, *(f"e{i}" for i in range(stretch.empty_nodes))]
    nodes = tuple(
        node(name, stretch.price, allocatable_gpus=stretch.per_node, created_at=NOON - HOUR)
        for name in names
    )
    return pods, nodes


def _plan(stretch: Stretch) -> Plan:
    desired = stretch.replicas if stretch.desired is None else stretch.desired
    made = plain(desired)
    variant = replace(made.variants[0], current=stretch.replicas, ready=stretch.replicas)
    demand = (
        UNREAD
        if stretch.demand is None
        else Demand(now=stretch.demand, forecast=stretch.demand, backlog=0.0)
    )
    return replace(
        made,
        mode=stretch.mode,
        variants=(variant,),
        demand=demand,
        profile=PROFILE,
        limited_by=stretch.limited_by,
        prediction=Prediction(
            replicas=desired, seconds=0.1, meets_objective=True, late_fraction=0.005
        ),
        attainment=UNREAD
        if stretch.attained is None
        else Attainment(fraction=stretch.attained, requests=100, measured_at="Gateway"),
    )
