"""Spot nodes that are taken away under load, beside a fleet that has none."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from decimal import Decimal

import pytest

from e2e.rig.kube import wait_for
from e2e.rig.providers import Capability
from e2e.rig.stack import REPOSITORY
from e2e.scenarios.live import LiveFleet, live_fleet, stack_of
from e2e.scenarios.requests import Load, dollars, start_load
from e2e.scenarios.scene import Scene
from e2e.scenarios.start import TICK_SECONDS
from e2e.scenarios.stories import Stories
from e2e.scenarios.variant_fleet import VariantFleet

pytestmark = pytest.mark.needs(Capability.PROCESS_NODES)

PER_SECOND = 100.0
REPLICAS = 4
CALM_SECONDS = 15.0
# The suite's clock is short: starts take seconds in place of minutes, so a notice is three times what this fleet's
# first start took in place of 30 s to 2 min, and twice within two minutes stands for twice within ten.
NOTICE_STARTS = 3.0
LEAST_NOTICE_SECONDS, MOST_NOTICE_SECONDS = 15.0, 50.0
SPOT, SAFE, PLAIN = "taken-spot", "taken-safe", "untaken"
REPORTS = REPOSITORY / "build" / "e2e"


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What one fleet reached, and what its nodes cost."""

    attainment: float
    dollars: str

    @property
    def cost(self) -> Decimal:
        return Decimal(self.dollars)


def nodes_are_taken(scene: Scene) -> None:
    """Half the fleet at once, then the other half: each node has its notice, and is gone with its pods after it."""
    fleet = VariantFleet(scene=scene, pools=(SPOT, SAFE))
    plain = live_fleet(scene, name="plain", replicas=REPLICAS, pool=PLAIN)
    plain.deploy(mode="Enforce", minimum=REPLICAS, maximum=REPLICAS)
    deployed_at = time.monotonic()
    # No more: as it learns what a replica carries there would be five for a while, and two of five are single machines.
    fleet.deploy(minimum=REPLICAS, maximum=REPLICAS)
    fleet.wait(taken_spot=REPLICAS)
    notice = notice_seconds(time.monotonic() - deployed_at)
    plain.wait_ready()
    loads = [
        start_load(one, per_second=PER_SECOND, seconds=240, name=one.name)
        for one in (fleet.live, plain)
    ]
    began = time.time()
    time.sleep(CALM_SECONDS)
    take(fleet, at_once=REPLICAS // 2, notice=notice)
    take(fleet, at_once=REPLICAS // 2, notice=notice)
    time.sleep(CALM_SECONDS)
    courses = {
        "spot and on demand": course(fleet.live, (SPOT, SAFE), loads[0], began),
        "on demand only": course(plain, (PLAIN,), loads[1], began),
    }
    report("interruptions", courses, whole=time.time() - began, notice=notice)
    mixed, safe = courses.values()
    assert mixed.attainment >= 0.99, courses
    assert safe.attainment >= 0.99, courses
    assert mixed.cost < safe.cost, courses
    for load in loads:
        load.process.fail_if_ended()


def notice_seconds(start_seconds: float) -> float:
    return min(max(NOTICE_STARTS * start_seconds, LEAST_NOTICE_SECONDS), MOST_NOTICE_SECONDS)


def take(fleet: VariantFleet, *, at_once: int, notice: float) -> None:
    """At their notice replicas are ordered elsewhere at once, and they serve before the nodes are gone."""
    victims = fleet.nodes(SPOT)[:at_once]
    ready = fleet.ready(SAFE)
    with ThreadPoolExecutor(at_once) as pool:
        taking = [pool.submit(_reclaim, fleet.scene, node, notice) for node in victims]
        wait_for(
            lambda: fleet.replicas(SAFE) >= ready + at_once,
            timeout_seconds=TICK_SECONDS + 2,
            what="the notice to be answered",
        )
        wait_for(
            lambda: fleet.ready(SAFE) >= ready + at_once,
            timeout_seconds=notice,
            what="replicas in place of those that go, before they go",
        )
        for one in taking:
            one.result()
    assert fleet.told(SPOT)["awayUntil"]


def _reclaim(scene: Scene, node: str, notice: float) -> None:
    stack = stack_of(scene)
    stack.nodes.call(stack.provisioner.reclaim(node, notice_seconds=notice))


def course(fleet: LiveFleet, pools: tuple[str, ...], load: Load, began: float) -> Course:
    now = time.time()
    cost = dollars(fleet, pools, begin=began, end=now)
    return Course(
        attainment=load.in_time(began - load.started_at, now - load.started_at - 1),
        dollars=f"{cost:.6f}",
    )


def report(name: str, courses: dict[str, Course], **seconds: float) -> None:
    """Write it to build/e2e; `seconds`: of the whole, and when what happened."""
    REPORTS.mkdir(parents=True, exist_ok=True)
    fleets = {title: asdict(one) for title, one in courses.items()}
    told = {f"{word}Seconds": round(value, 1) for word, value in seconds.items()}
    (REPORTS / f"{name}.json").write_text(json.dumps(told | {"fleets": fleets}, indent=2) + "\n")


@pytest.mark.story(of=nodes_are_taken)
def test_interruptions(stories: Stories) -> None:
    """Half of the spot fleet goes at once, then the rest: 99 % in time, for less than on demand only."""
    stories.end_of(nodes_are_taken)
