"""What the limits of a pool leave for warm nodes: replicas come first."""

from collections.abc import Iterable
from math import floor

from inference_cost.model.money import HourlyPrice
from inference_cost.model.warm import WarmPool
from inference_cost.model.workload import Node, Pool


def room(declared: Pool | None, pool: WarmPool, nodes: Iterable[Node]) -> int | None:
    """Nodes that may be kept beside those in use; None where nothing limits them.

    A limit on the cost binds at the price of the dearest node in use or kept, and not where none is known.
    """
    limits = None if declared is None else declared.limits
    if limits is None:
        return None
    held = {one.node for one in pool.holders}
    counted = [node for node in nodes if node.pods or node.name in held]
    used = [node for node in counted if node.name not in held]
    found = [] if limits.nodes is None else [limits.nodes - len(used)]
    prices = [float(n.price.per_hour) for n in counted if isinstance(n.price, HourlyPrice)]
    if limits.per_hour is not None and prices:
        spent = sum(float(n.price.per_hour) for n in used if isinstance(n.price, HourlyPrice))
        found.append(floor((float(limits.per_hour) - spent) / max(prices)))
    return max(min(found), 0) if found else None
