"""What placeholders load ahead of time, and what keeps them from it."""

from collections.abc import Sequence
from typing import Final

from inference_cost.decide.warm.members import Member
from inference_cost.model.plan import Reason
from inference_cost.model.warm import WarmPool
from inference_cost.model.workload import Workload

MOST_IMAGES: Final = 8


def to_pull(
    pool: WarmPool, members: Sequence[Member]
) -> tuple[tuple[str, ...], tuple[Reason, ...]]:
    """Images of the policies' pods, and which are left out: a secret of their namespace is not read."""
    if pool.spec is None or not pool.spec.pre_pull:
        return (), ()
    workloads = [
        workload
        for member in members
        for workload in member.observation.workloads
        if isinstance(workload, Workload)
    ]
    open_ = {image for one in workloads if not one.pull_secrets for image in one.images}
    secret = {image for one in workloads if one.pull_secrets for image in one.images} - open_
    images, reasons = sorted(open_), []
    if secret:
        values = (("image", min(secret)), ("further", len(secret) - 1))
        reasons.append(Reason(code="warm-secret-images", values=values))
    if len(images) > MOST_IMAGES:
        counts = (("images", len(images)), ("most", MOST_IMAGES))
        reasons.append(Reason(code="warm-many-images", values=counts))
    return tuple(images[:MOST_IMAGES]), tuple(reasons)


def troubles(pool: WarmPool) -> tuple[Reason, ...]:
    """Placeholders that are not made, or do not come up."""
    found = []
    if pool.asked is not None and pool.asked.refusal:
        found.append(Reason(code="warm-refused", values=(("why", pool.asked.refusal),)))
    trouble = next((one.trouble for one in pool.holders if one.trouble), "")
    if trouble:
        found.append(Reason(code="warm-trouble", values=(("why", trouble),)))
    return tuple(found)
