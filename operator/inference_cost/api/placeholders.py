"""Names of the placeholders that keep nodes ready: how they are called, and the labels by which they are known."""

import hashlib
from typing import Final

from inference_cost.api.group import GROUP

POOL_LABEL: Final = f"{GROUP}/warm-pool"
TEMPLATE_LABEL: Final = f"{GROUP}/warm-template"
MANAGED_BY: Final = {"app.kubernetes.io/managed-by": "inference-cost-operator"}
LONGEST_LABEL: Final = 63
_DIGEST: Final = 8  # bytes


def pool_label(pool: str) -> str:
    """The name of a CapacityPool as a label's value, which may be shorter than a name."""
    if len(pool) <= LONGEST_LABEL:
        return pool
    digest = hashlib.blake2b(pool.encode(), digest_size=_DIGEST).hexdigest()
    return f"{pool[: LONGEST_LABEL - 1 - len(digest)].rstrip('-.')}-{digest}"


def placeholder_name(pool: str) -> str:
    """Of the Deployment, or of the CapacityBuffer and its PodTemplate."""
    return f"warm-{pool_label(pool)}"
