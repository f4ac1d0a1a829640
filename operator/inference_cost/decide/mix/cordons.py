"""Pools whose nodes somebody cordons, as for an upgrade: what does not come there is neither a loss nor a shortage."""

from typing import Final

from inference_cost.model.workload import Pool

# A cordon that is forgotten on one node of many says nothing of the others for longer.
LONGEST_SECONDS: Final = 1800.0


def closed_since(pool: Pool | None, since: float | None, at: float, *, vain: bool) -> float | None:
    """Since when no more is to be asked for there; None where it may.

    All nodes are cordoned, or some are and pods wait in vain since then: `since` of the last look.
    """
    if pool is None or not pool.cordoned:
        return None
    if pool.cordoned == pool.nodes:
        return at if since is None else since
    if since is not None:
        return since if at - since <= LONGEST_SECONDS else None
    return at if vain else None
