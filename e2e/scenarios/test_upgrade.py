"""Fixed pools without an autoscaler, and one of them drained as a whole, as for an upgrade."""

import time

import pytest

from e2e.rig.providers import Capability
from e2e.scenarios.installation import succeeded
from e2e.scenarios.requests import start_load
from e2e.scenarios.scene import Scene
from e2e.scenarios.stories import Stories
from e2e.scenarios.variant_fleet import NAME, VariantFleet

pytestmark = pytest.mark.needs(Capability.PROCESS_NODES)

PER_SECOND = 40.0
SETTLE_SECONDS = 12.0
AWAY, BACK = "fixed-safe", "fixed-spot"


def a_pool_is_drained(scene: Scene) -> None:
    """Two replicas on spot nodes that nobody replaces; both nodes are drained, and given back."""
    fleet = VariantFleet(scene=scene, pools=(BACK, AWAY))
    fleet.deploy(budget=True, minimum=2, maximum=4)
    fleet.wait(fixed_spot=2)
    load = start_load(fleet.live, per_second=PER_SECOND, seconds=240)
    time.sleep(SETTLE_SECONDS)
    before = float(fleet.told(BACK)["lossesPerHour"])

    drained_at, nodes = load.seconds, fleet.nodes(BACK)
    options = ("--ignore-daemonsets", "--delete-emptydir-data", "--timeout=60s")
    succeeded(scene.installation.kubectl("drain", *nodes, *options))
    fleet.wait(fixed_safe=2)
    told = fleet.told(BACK)
    assert not told.get("awayUntil"), f"a drain is no shortage: {told}"
    assert float(told["lossesPerHour"]) <= before, f"a drain is no loss: {told}"
    message = scene.status(NAME)["decision"]["message"]
    assert "while nodes there are cordoned" in message, message

    succeeded(scene.installation.kubectl("uncordon", *nodes))
    fleet.wait(fixed_spot=2)
    time.sleep(2)
    share = load.in_time(drained_at, load.seconds - 1)
    assert share >= 0.99, f"{share:.4f} in time during the upgrade"
    load.process.fail_if_ended()


@pytest.mark.story(of=a_pool_is_drained)
def test_upgrade_of_a_pool(stories: Stories) -> None:
    """On fixed pools all nodes of one are drained: no loss, no shortage, nobody late, and back when they are."""
    stories.end_of(a_pool_is_drained)
