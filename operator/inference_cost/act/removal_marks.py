"""Marks the pods that are to go first, just before replicas are removed.

Kubernetes asks for this annotation to be written rarely: so never but here, and only to pods that are about to go, with
which it goes. A mark that cannot be written keeps nothing from being removed.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence

from inference_cost.act.errors import KubeError, NotFoundError
from inference_cost.act.kube_api import KubeApi
from inference_cost.act.resources import PODS
from inference_cost.api.annotations import DELETION_COST

log = logging.getLogger(__name__)


def marks(first: Sequence[str], outdated: Sequence[str]) -> Mapping[str, str | None]:
    """Deletion cost by pod: below that of pods without one (zero), the first the lowest. None: to be removed."""
    named = {pod: str(at - len(first)) for at, pod in enumerate(first)}
    return dict.fromkeys(outdated) | named


async def mark(
    api: KubeApi, namespace: str, first: Sequence[str], outdated: Sequence[str] = ()
) -> None:
    await asyncio.gather(
        *(_write(api, namespace, pod, cost) for pod, cost in marks(first, outdated).items())
    )


async def _write(api: KubeApi, namespace: str, pod: str, cost: str | None) -> None:
    patch = {"metadata": {"annotations": {DELETION_COST: cost}}}
    try:
        await api.merge_patch(PODS, namespace, pod, patch)
    except NotFoundError:
        return
    except KubeError as error:
        log.warning("not_marked", extra={"pod": pod, "error": error.message})
