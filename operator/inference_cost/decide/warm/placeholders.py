"""What placeholders load ahead of time, and what keeps them from it."""

from collections.abc import Iterable
from typing import Final

from inference_cost.model.plan import Reason
from inference_cost.model.warm import WarmBy, WarmNeeds, WarmPool

MOST_IMAGES: Final = 8


def to_pull(
    pool: WarmPool, needs: Iterable[WarmNeeds]
) -> tuple[tuple[str, ...], tuple[Reason, ...]]:
    """Images of the policies' pods, and which are left out: a secret of their namespace is not read."""
    if pool.spec is None or not pool.spec.pre_pull:
        return (), ()
    known = tuple(needs)
    open_ = {image for one in known for image in one.images}
    secret = {image for one in known for image in one.secret_images} - open_
    images, reasons = sorted(open_), []
    if secret:
        values = (("image", min(secret)), ("further", len(secret) - 1))
        reasons.append(Reason(code="warm-secret-images", values=values))
    if len(images) > MOST_IMAGES:
        counts = (("images", len(images)), ("most", MOST_IMAGES))
        reasons.append(Reason(code="warm-many-images", values=counts))
    return tuple(images[:MOST_IMAGES]), tuple(reasons)


def troubles(pool: WarmPool) -> tuple[Reason, ...]:
    """Placeholders that are not made, or do not come up; a CapacityBuffer that is not followed."""
    found = []
    asked = pool.asked
    by_buffer = asked is not None and asked.by is WarmBy.CAPACITY_BUFFER
    if asked is not None and asked.refusal:
        code = "warm-buffer-refused" if by_buffer else "warm-refused"
        found.append(Reason(code=code, values=(("why", asked.refusal),)))
    elif asked is not None and by_buffer and asked.taken_up is None:
        found.append(Reason(code="warm-buffer-unseen"))
    trouble = next((one.trouble for one in pool.holders if one.trouble), "")
    if trouble:
        found.append(Reason(code="warm-trouble", values=(("why", trouble),)))
    return tuple(found)
