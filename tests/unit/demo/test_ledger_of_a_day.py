"""The ledger of a demo run on the real trace: what the demo itself reckons from its nodes' lifetimes, and by hand."""

from decimal import Decimal

from e2e.demo.recording import NodeLifetime
from e2e.demo.summary import node_dollars
from inference_cost.account.ledger.build import ledger
from inference_cost.account.ledger.history import (
    History,
    NodeLife,
    Owner,
    PriceChange,
    Span,
    Stay,
    Use,
)
from inference_cost.account.ledger.lines import Kind, total_of
from inference_cost.account.rounding import CENT
from tests.unit.account.worlds import NOON, key, node, pod, price
from tests.unit.demo.runs import ASKED, LOAD_SECONDS, PRICE, simulated_run

WINDOW = Span(begin=NOON, end=NOON + LOAD_SECONDS)
READY_SECONDS = 10.0  # from order to ready


def life(lifetime: NodeLifetime) -> NodeLife:
    begin = NOON + lifetime.created_s
    gone = min(lifetime.gone_s, 10 * LOAD_SECONDS)
    paid = price(str(lifetime.dollars_per_hour))
    return NodeLife(
        node=node(lifetime.node, created_at=begin),
        ready_at=begin,
        gone_at=NOON + gone,
        prices=(PriceChange(since=begin, price=paid),),
    )


def stay(number: int, ordered: float, ended: float) -> Stay:
    """Bound when its node is there, a second after the order."""
    return Stay(
        pod=pod(f"p{number}", f"gpu-{number}"),
        owner=Owner(use=Use.REPLICA, policy=key(), variant="default"),
        bound_at=NOON + ordered + 1,
        ready_at=NOON + ordered + READY_SECONDS,
        ended_at=NOON + min(ended, 10 * LOAD_SECONDS),
    )


def test_the_days_nodes_and_where_their_money_went() -> None:
    nodes = simulated_run().nodes
    stays = tuple(stay(i, ordered, ended) for i, (ordered, ended) in enumerate(ASKED))
    made = ledger(History(nodes=tuple(map(life, nodes)), stays=stays), WINDOW)
    assert abs(made.total.amount - node_dollars(nodes, LOAD_SECONDS)) < CENT / 1000
    kinds = {
        kind: total_of(line for line in made.lines if line.key.kind is kind).node_hours * 3600
        for kind in (Kind.SERVING, Kind.BOOT, Kind.IDLE)
    }
    # By hand, in seconds: two replicas all day; six more from ten seconds after their order until they went.
    serving = 2 * 240 + (30 - 14) + (22 - 14) + (18 - 16) + (128 - 115) + (190 - 146) + (218 - 215)
    boot = 6 * 9
    idle = 6 * 12  # a node goes twelve seconds after its replica
    assert {kind: round(seconds, 6) for kind, seconds in kinds.items()} == {
        Kind.SERVING: serving,
        Kind.BOOT: boot,
        Kind.IDLE: idle,
    }
    assert abs(made.total.amount - PRICE * Decimal(serving + boot + idle) / 3600) < CENT / 1000
