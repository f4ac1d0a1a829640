"""Pools that do not give what is asked of them: it is asked elsewhere, and not again and again."""

import pytest

from e2e.rig.kube import wait_for
from e2e.rig.providers import Capability
from e2e.scenarios.installation import succeeded
from e2e.scenarios.kubectl_table import columns
from e2e.scenarios.scene import Scene, holds_for
from e2e.scenarios.start import TICK_SECONDS
from e2e.scenarios.stories import Stories
from e2e.scenarios.variant_fleet import NAME, VariantFleet

pytestmark = pytest.mark.needs(Capability.PROCESS_NODES, Capability.AUDIT_LOG)

STILL_SECONDS = 4 * TICK_SECONDS


def pools_at_their_limit(scene: Scene) -> None:
    """Two replicas: the first pool never delivers, the second has room for one."""
    fleet = VariantFleet(scene=scene, pools=("sold-out", "last-one", "plenty"))
    fleet.deploy(minimum=2, maximum=6)
    fleet.wait(last_one=1, plenty=1)
    assert fleet.told("sold-out")["awayUntil"]
    assert fleet.told("last-one")["awayUntil"]
    assert not fleet.told("plenty").get("awayUntil")
    assert scene.wait_told(NAME, "CapacityAvailable", "True", "CapacitySufficient")

    orders = scene.scale_writes(fleet.name("sold-out"))
    assert len(orders) == 2, "asked for, and withdrawn"
    holds_for(STILL_SECONDS, lambda: fleet.wait(within=0, last_one=1, plenty=1))
    assert scene.scale_writes(fleet.name("sold-out")) == orders, "not asked again"
    cells = wait_for(
        lambda: one if (one := _pool(scene, "sold-out"))["SCARCE"] == "True" else None,
        timeout_seconds=30,
        what="the pool to be told scarce",
    )
    assert cells["NODES"] == "0", cells


def a_quota_that_refuses(scene: Scene) -> None:
    """Room for two by quota, three asked for."""
    quota = {"requests.nvidia.com/gpu": "2"}
    scene.apply(
        {
            "apiVersion": "v1",
            "kind": "ResourceQuota",
            "metadata": {"name": "gpus"},
            "spec": {"hard": quota},
        }
    )
    fleet = VariantFleet(scene=scene, pools=("rationed", "plenty"))
    fleet.deploy(minimum=3, maximum=6)
    told = scene.wait_told(NAME, "CapacityAvailable", "False", "Refused", within=40)
    assert "gpus" in told.message, told

    def bounded() -> None:
        assert sum(map(fleet.replicas, fleet.pools)) <= 4, "one probe at most"

    wait_for(
        lambda: sum(map(fleet.ready, fleet.pools)) == 2,
        timeout_seconds=60,
        what="as many as the quota allows",
    )
    holds_for(STILL_SECONDS, bounded)
    assert sum(map(fleet.ready, fleet.pools)) == 2, "what runs stays"


@pytest.mark.story(of=pools_at_their_limit)
def test_pools_at_their_limit(stories: Stories) -> None:
    """What a pool without room and one with room for a single replica do not give is asked elsewhere, once."""
    stories.end_of(pools_at_their_limit)


@pytest.mark.story(of=a_quota_that_refuses)
def test_quota(stories: Stories) -> None:
    """A ResourceQuota that refuses replicas of both variants is named, the ask does not grow, and what runs stays."""
    stories.end_of(a_quota_that_refuses)


def _pool(scene: Scene, name: str) -> dict[str, str]:
    return columns(succeeded(scene.installation.kubectl("get", "cpool", name)))
