"""Costs of a window as OpenCost allocates them, beside the ledger's.

OpenCost cuts a node's price into GPU, CPU and memory by the ratio of base prices, scaled so that the parts are the
price. A workload has of each the larger of what it requests and what it uses; the rest is idle. Pods count from their
binding, nodes from their launch. The ledger takes the largest share instead of one per resource, gives a node's boot to
nobody, and does not guess in gaps.

Source: opencost/opencost, spec/opencost-specv01.md (workload and idle costs, appendix A) and configs/default.json.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

from inference_cost.account.ledger.history import History, Owner, Use
from inference_cost.account.ledger.lines import Kind, Ledger
from inference_cost.account.ledger.pieces import During, Piece, by_node, pieces_of
from inference_cost.account.shares import price_of
from inference_cost.model.policy import PolicyKey
from inference_cost.model.reading import Missing
from inference_cost.model.workload import Node, Pod

NOTHING = Decimal(0)
GIBIBYTE = 2**30
_WHEN = {Kind.BOOT: During.BOOT, Kind.UNRECORDED: During.UNRECORDED}  # of nobody's lines
_USES = {Kind.WARM: Use.WARM, Kind.OVERHEAD: Use.OVERHEAD, Kind.OTHER: Use.OTHER}


@dataclass(frozen=True, slots=True, kw_only=True)
class BasePrices:
    """Per hour; only their ratio counts. Those of OpenCost's default.json."""

    core: Decimal = Decimal("0.031611")
    gibibyte: Decimal = Decimal("0.004237")
    gpu: Decimal = Decimal("0.95")


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Of one pod, a mean over the window."""

    cpu_millicores: int = 0
    memory_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """An amount by resource."""

    gpu: Decimal = NOTHING
    cpu: Decimal = NOTHING
    memory: Decimal = NOTHING

    @property
    def total(self) -> Decimal:
        return self.gpu + self.cpu + self.memory

    def __add__(self, other: "Parts") -> "Parts":
        return Parts(
            gpu=self.gpu + other.gpu, cpu=self.cpu + other.cpu, memory=self.memory + other.memory
        )

    def __sub__(self, other: "Parts") -> "Parts":
        return self + other.times(Decimal(-1))

    def times(self, factor: Decimal) -> "Parts":
        return Parts(gpu=self.gpu * factor, cpu=self.cpu * factor, memory=self.memory * factor)


@dataclass(frozen=True, slots=True, kw_only=True)
class Whose:
    """A policy's, a kind of other pods', or what nobody uses (`use` None)."""

    policy: PolicyKey | None = None
    use: Use | None = None

    @property
    def order(self) -> tuple[bool, str, str]:
        return self.policy is None, str(self.policy or ""), str(self.use or "~")


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """Amounts of one owner, theirs by resource. `explained`: ours less theirs, by what is known of the time."""

    whose: Whose
    ours: Decimal
    theirs: Parts
    explained: Mapping[During, Decimal]

    @property
    def difference(self) -> Decimal:
        return self.ours - self.theirs.total


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """`nodes`: by name, what the ledger and OpenCost's parts make of it; they are the same."""

    rows: tuple[Compared, ...]
    nodes: Mapping[str, tuple[Decimal, Decimal]]
    unpriced: tuple[str, ...]


@dataclass(slots=True)
class _Sums:
    theirs: dict[Whose, Parts] = field(default_factory=lambda: defaultdict(Parts))
    during: dict[tuple[Whose, During], Decimal] = field(
        default_factory=lambda: defaultdict(Decimal)
    )
    nodes: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    unpriced: dict[str, None] = field(default_factory=dict)

    def add(self, whose: Whose, parts: Parts, piece: Piece) -> None:
        self.theirs[whose] += parts
        self.during[whose, piece.during] += parts.total
        self.nodes[piece.paid.name] += parts.total


def compare(
    made: Ledger,
    history: History,
    *,
    prices: BasePrices | None = None,
    usage: Mapping[str, Usage] | None = None,
) -> Comparison:
    """The ledger's window once more by OpenCost's rules.

    Args:
        made: of this history, without commitments.
        history: nodes and pods.
        prices: base prices, for their ratio.
        usage: by pod uid; a pod that is not in it has used no more than it requests.
    """
    sums, stays = _Sums(), by_node(history.stays)
    for life in history.nodes:
        here = stays.get(life.node.name, ())
        for piece in pieces_of(life, here, history.gaps, made.window):
            _allocate(sums, piece, made.currency, prices or BasePrices(), usage or {})
    ours = _ours(made)
    return Comparison(
        rows=tuple(
            Compared(
                whose=whose,
                ours=sum((ours[whose, during] for during in During), NOTHING),
                theirs=sums.theirs[whose],
                explained={
                    during: ours[whose, during] - sums.during[whose, during] for during in During
                },
            )
            for whose in sorted(
                {*(whose for whose, _ in ours), *sums.theirs}, key=lambda one: one.order
            )
        ),
        nodes={name: (cost.amount, sums.nodes[name]) for name, cost in made.nodes.items()},
        unpriced=tuple(sums.unpriced),
    )


def _allocate(
    sums: _Sums,
    piece: Piece,
    currency: str,
    prices: BasePrices,
    usage: Mapping[str, Usage],
) -> None:
    price = price_of(piece.paid, currency)
    if isinstance(price, Missing):
        sums.unpriced[price.detail] = None
        return
    whole = _node_parts(piece.paid, prices, price * piece.hours)
    asked = {s.pod.uid: _asked(s.pod, piece.paid, usage.get(s.pod.uid)) for s in piece.stays}
    scale = _within_one(list(asked.values()))
    idle = whole
    for stay in piece.stays:
        share = asked[stay.pod.uid]
        parts = Parts(
            gpu=whole.gpu * share.gpu * scale.gpu,
            cpu=whole.cpu * share.cpu * scale.cpu,
            memory=whole.memory * share.memory * scale.memory,
        )
        sums.add(_whose(stay.owner), parts, piece)
        idle -= parts
    sums.add(Whose(), idle, piece)


def _node_parts(node: Node, prices: BasePrices, amount: Decimal) -> Parts:
    """The amount cut by the ratio of base prices; all of it to CPU where nothing is known of the node."""
    weights = Parts(
        gpu=node.allocatable_gpus * prices.gpu,
        cpu=node.allocatable_cpu_millicores * prices.core / 1000,
        memory=node.allocatable_memory_bytes * prices.gibibyte / GIBIBYTE,
    )
    if weights.total == 0:
        return Parts(cpu=amount)
    rest = weights.times(amount / weights.total)
    return replace(rest, cpu=amount - rest.gpu - rest.memory)


def _asked(pod: Pod, node: Node, used: Usage | None) -> Parts:
    """Shares of the node, by resource."""
    used = used or Usage()
    return Parts(
        gpu=_share(pod.gpus, node.allocatable_gpus),
        cpu=_share(max(pod.cpu_millicores, used.cpu_millicores), node.allocatable_cpu_millicores),
        memory=_share(max(pod.memory_bytes, used.memory_bytes), node.allocatable_memory_bytes),
    )


def _share(asked: int, there: int) -> Decimal:
    return Decimal(asked) / there if there > 0 else NOTHING


def _within_one(shares: list[Parts]) -> Parts:
    """Factors that bring the shares of a resource to one where they are more."""
    total = sum(shares, Parts())
    return Parts(
        gpu=1 / max(total.gpu, Decimal(1)),
        cpu=1 / max(total.cpu, Decimal(1)),
        memory=1 / max(total.memory, Decimal(1)),
    )


def _whose(owner: Owner) -> Whose:
    return Whose(policy=owner.policy) if owner.policy is not None else Whose(use=owner.use)


def _ours(made: Ledger) -> dict[tuple[Whose, During], Decimal]:
    found: dict[tuple[Whose, During], Decimal] = defaultdict(Decimal)
    for line in made.lines:
        key = line.key
        whose = Whose(policy=key.policy) if key.policy else Whose(use=_USES.get(key.kind))
        during = _WHEN.get(key.kind, During.USE) if key.policy is None else During.USE
        found[whose, during] += line.total.amount
    return found
