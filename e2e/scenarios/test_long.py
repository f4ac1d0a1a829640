"""What takes longer than a gate may: real KEDA, a pool that stays away for its ten minutes, and one that comes back."""

import time

import pytest

from e2e.rig.kube import Manifest, wait_for
from e2e.rig.providers import Capability
from e2e.scenarios.live import live_fleet, stack_of
from e2e.scenarios.real_keda import ensure_keda
from e2e.scenarios.requests import start_load
from e2e.scenarios.scene import Scene, holds_for
from e2e.scenarios.start import START_UP_SECONDS, TICK_SECONDS
from e2e.scenarios.stories import LONG_WITHIN_SECONDS, Stories
from e2e.scenarios.test_interruptions import (
    PER_SECOND,
    PLAIN,
    REPLICAS,
    SAFE,
    SPOT,
    course,
    notice_seconds,
    report,
    take,
)
from e2e.scenarios.test_peers import OTHER, SOURCE, split_policy, targets, untouched
from e2e.scenarios.variant_fleet import NAME, VariantFleet

pytestmark = [
    pytest.mark.needs(Capability.PROCESS_NODES, Capability.AUDIT_LOG),
    pytest.mark.long,
]

AWAY_SECONDS = 600.0  # decide/mix/losses.py
BACK_WITHIN_SECONDS = AWAY_SECONDS + 90.0
AFTERWARDS_SECONDS = 90.0


def real_keda(scene: Scene) -> None:
    """It scales one of two variants by a query, is told as what it is, and hands over when it is paused."""
    stack = stack_of(scene)
    ensure_keda(stack)
    targets(scene)
    scene.apply(_scaled_object(stack.prometheus_url))
    scene.wait_replicas(SOURCE, 3, within=90)
    split_policy(scene, minReplicas=4)
    told = scene.wait_told(SOURCE, "Conflicted", "True", "Autoscaler")
    assert f"ScaledObject/{SOURCE}-keda" in told.message, "not the HPA that KEDA made"
    holds_for(5 * TICK_SECONDS, lambda: untouched(scene))

    paused = {"metadata": {"annotations": {"autoscaling.keda.sh/paused": "true"}}}
    scene.kube.merge(
        "keda.sh/v1alpha1", "ScaledObject", f"{SOURCE}-keda", paused, namespace=scene.namespace
    )
    wait_for(
        lambda: scene.scale_writes(OTHER), timeout_seconds=30, what="replicas to be taken over"
    )


def _scaled_object(prometheus_url: str) -> Manifest:
    trigger = {"serverAddress": prometheus_url, "query": "vector(3)", "threshold": "1"}
    return {
        "apiVersion": "keda.sh/v1alpha1",
        "kind": "ScaledObject",
        "metadata": {"name": f"{SOURCE}-keda"},
        "spec": {
            "scaleTargetRef": {"name": SOURCE},
            "pollingInterval": 5,
            "minReplicaCount": 1,
            "maxReplicaCount": 5,
            "triggers": [{"type": "prometheus", "metadata": trigger}],
        },
    }


def a_pool_that_never_delivers(scene: Scene) -> None:
    """After ten minutes one replica is asked for, and when that does not come either, none for twenty."""
    fleet = VariantFleet(scene=scene, pools=("sold-out", "plenty"))
    fleet.deploy(minimum=2, maximum=6)
    fleet.wait(plenty=2)
    # Without a load nothing tells what late requests cost, and no replica goes where it can be lost.
    start_load(fleet.live, per_second=PER_SECOND / 4, seconds=AWAY_SECONDS + 60.0, name=NAME)
    refused_at, name = time.time(), fleet.name("sold-out")
    orders = scene.scale_writes(name)
    most = 0
    while time.time() - refused_at < AWAY_SECONDS + 60.0:
        most = max(most, fleet.replicas("sold-out"))
        assert fleet.ready("plenty") >= 2  # one more, as long as it learns what a replica carries
        time.sleep(1)
    assert most == 1, "one probe"
    probe = [write.at - refused_at for write in scene.scale_writes(name)[len(orders) :]]
    assert len(probe) == 2, "asked for once, and withdrawn"
    assert probe[0] >= AWAY_SECONDS - 2 * START_UP_SECONDS - 30, probe


def the_fleet_returns_to_spot(scene: Scene) -> None:
    """All spot nodes are taken at once; ten minutes later one replica tries, and then all go back."""
    fleet = VariantFleet(scene=scene, pools=(SPOT, SAFE))
    plain = live_fleet(scene, name="plain", replicas=REPLICAS, pool=PLAIN)
    plain.deploy(mode="Enforce", minimum=REPLICAS, maximum=8)
    deployed_at = time.monotonic()
    fleet.deploy(minimum=REPLICAS, maximum=8)
    fleet.wait(taken_spot=REPLICAS)
    notice = notice_seconds(time.monotonic() - deployed_at)
    plain.wait_ready()
    seconds = BACK_WITHIN_SECONDS + AFTERWARDS_SECONDS + 120
    loads = [
        start_load(one, per_second=PER_SECOND, seconds=seconds, name=one.name)
        for one in (fleet.live, plain)
    ]
    began = time.time()
    time.sleep(AFTERWARDS_SECONDS)
    take(fleet, at_once=REPLICAS, notice=notice)
    taken_at = time.time()
    fleet.wait(notice + 20, taken_safe=REPLICAS)
    first = wait_for(
        lambda: time.time() if fleet.replicas(SPOT) else 0.0,
        timeout_seconds=BACK_WITHIN_SECONDS,
        what="spot to be asked again",
    )
    assert fleet.replicas(SPOT) == 1, "a probe comes first"
    fleet.wait(60, taken_spot=REPLICAS)
    back_at = time.time()
    time.sleep(AFTERWARDS_SECONDS)
    courses = {
        "spot and on demand": course(fleet.live, (SPOT, SAFE), loads[0], began),
        "on demand only": course(plain, (PLAIN,), loads[1], began),
    }
    moments = {"probe": first - taken_at, "back": back_at - taken_at}
    report("return-to-spot", courses, whole=time.time() - began, **moments)
    mixed, safe = courses.values()
    assert mixed.attainment >= 0.99, courses
    assert mixed.cost < safe.cost, courses


@pytest.mark.story(of=real_keda)
def test_keda(stories: Stories) -> None:
    """Real KEDA on one variant: named by its ScaledObject, neither variant written, taken over in a pause."""
    stories.end_of(real_keda, within=LONG_WITHIN_SECONDS)


@pytest.mark.story(of=a_pool_that_never_delivers)
def test_probe(stories: Stories) -> None:
    """A pool that gave nothing is asked for one replica after ten minutes, and kept away from for longer after that."""
    stories.end_of(a_pool_that_never_delivers, within=LONG_WITHIN_SECONDS)


@pytest.mark.story(of=the_fleet_returns_to_spot)
def test_return_to_spot(stories: Stories) -> None:
    """After a loss of the whole spot fleet it is on demand for ten minutes, and back: in time, and for less."""
    stories.end_of(the_fleet_returns_to_spot, within=LONG_WITHIN_SECONDS)
