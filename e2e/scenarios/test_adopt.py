"""`adopt` under load: a real autoscaler hands its fleet over by the script that is printed, and takes it back."""

import json
import time
from dataclasses import dataclass

import pytest

from e2e.baselines import metrics_api
from e2e.baselines.pods_metrics import METRIC
from e2e.demo.watch import Fleet
from e2e.race.manifests import by_request_rate, rate_query
from e2e.rig.kube import Manifest, wait_for
from e2e.rig.processes import ManagedProcess
from e2e.rig.providers import Capability
from e2e.rig.supervisor import REPOSITORY
from e2e.scenarios.live import LiveFleet, live_fleet
from e2e.scenarios.real_keda import ensure_keda
from e2e.scenarios.requests import Load, start_load
from e2e.scenarios.scene import Scene
from e2e.scenarios.stories import LONG_WITHIN_SECONDS, Stories
from e2e.scenarios.test_conflicts import run_script, undo_of

pytestmark = pytest.mark.needs(Capability.PROCESS_NODES, Capability.AUDIT_LOG)

# 2.75 replicas: three, and neither two nor four within the tolerance of a tenth, whatever chance does.
PER_SECOND, PER_REPLICA = 33.0, 12
ITS_REPLICAS, OUR_REPLICAS = 3, 4
MOST = 6
LOAD_SECONDS = 400.0
HPA_USER = "system:kube-controller-manager"  # with one identity for all controllers on the rig; no other scales
REPORT = REPOSITORY / "build" / "e2e" / "adopt.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Handed:
    """A fleet under load that somebody else scales. `giver`: as Kind/name."""

    live: LiveFleet
    load: Load
    giver: str

    @property
    def scene(self) -> Scene:
        return self.live.scene

    def wait(self, replicas: int) -> None:
        """Until as many are asked for and ready, whoever asked."""
        wait_for(
            lambda: self.live.ready() == self.scene.replicas(self.live.name) == replicas,
            timeout_seconds=90,
            what=f"{replicas} replicas of {self.live.name} in {self.scene.namespace}",
        )

    def their_writes(self, since: float) -> list[float]:
        """When the HPA scaled, its own or the one that KEDA made."""
        audit = self.scene.installation.audit
        assert audit is not None
        wrote = audit.requests(HPA_USER, since=since)
        here = (self.scene.namespace, self.live.name)
        return [one.at for one in wrote if one.scales and (one.namespace, one.name) == here]


def from_the_hpa(scene: Scene) -> None:
    """It follows the requests per second and replica."""
    live = live_fleet(scene, pool="adopted")
    query = rate_query(Fleet(name=live.name, namespace=scene.namespace))
    with metrics_api.serving(scene.kube, live.stack.cluster, query):
        load = under_load(live)
        scene.apply(hpa(live.name))
        there_and_back(Handed(live=live, load=load, giver=f"HorizontalPodAutoscaler/{live.name}"))


def from_keda(scene: Scene) -> None:
    """It asks Prometheus for the same."""
    live = live_fleet(scene, pool="adopted-keda")
    ensure_keda(live.stack)
    load = under_load(live)
    scene.apply(
        by_request_rate(
            Fleet(name=live.name, namespace=scene.namespace),
            prometheus_url=live.stack.prometheus_url,
            threshold=PER_REPLICA,
            window_seconds=0,
            most=MOST,
        )
    )
    there_and_back(Handed(live=live, load=load, giver=f"ScaledObject/{live.name}"))


def under_load(live: LiveFleet) -> Load:
    """With a policy in Recommend beside it."""
    live.deploy(minimum=1, maximum=MOST)
    live.wait_ready()
    return start_load(live, per_second=PER_SECOND, seconds=LOAD_SECONDS)


def there_and_back(handed: Handed) -> None:
    """The script as it is printed, one more replica by the policy, and the undo as it is printed."""
    scene, name = handed.scene, handed.live.name
    folder = scene.installation.folder / scene.namespace
    folder.mkdir()
    handed.wait(ITS_REPLICAS)
    script = printed(scene, name)
    assert f"from {handed.giver} (Deployment/{name})" in script

    begun = time.time()
    told = run_script(scene, script, folder)
    taken = time.time()
    assert scene.wait_told(name, "Conflicted", "False", "NoConflict")
    assert "Chosen" in told, "the script ends with an explanation"
    scene.edit(name, minReplicas=OUR_REPLICAS)
    handed.wait(OUR_REPLICAS)
    ours = [one.at for one in scene.scale_writes(name)]
    assert ours, "the operator scaled"
    assert not [at for at in handed.their_writes(begun) if at > ours[0]], "never two at once"

    undone = time.time()
    run_script(scene, undo_of(script), folder)
    handed.wait(ITS_REPLICAS)
    assert handed.their_writes(undone), "the other one scales again"
    assert scene.wait_told(name, "Conflicted", "False", "Autoscaler")
    assert not scene.scale_writes(name, since=undone + 1.0), "the operator does not"
    sent, failed = handed.load.answered()
    report(handed, sent=sent, failed=failed, script=taken - begun, back=time.time() - undone)
    stop(handed.load.process)
    assert failed == 0, f"{failed} of {sent} requests were lost"
    assert sent > PER_SECOND * (time.time() - begun) / 2, "and there were some"


def printed(scene: Scene, name: str) -> str:
    """By `adopt`, once it says that it is not too early."""
    kubectl = scene.installation.kubectl
    done = wait_for(
        lambda: (
            found
            if (found := kubectl("inference-cost", "adopt", name, "-n", scene.namespace)).returncode
            == 0
            else None
        ),
        timeout_seconds=90,
        what="what a replica carries to be learned",
    )
    return done.stdout


def report(handed: Handed, **figures: float) -> None:
    """For the page: build/e2e/adopt.json."""
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    known = json.loads(REPORT.read_text()) if REPORT.exists() else {}
    kind = handed.giver.partition("/")[0]
    rounded = {key: round(value, 1) for key, value in figures.items()}
    REPORT.write_text(json.dumps(known | {kind: rounded}, indent=2) + "\n")


def stop(load: ManagedProcess) -> None:
    """Its fleet goes with the namespace; requests of then are nobody's."""
    load.fail_if_ended()
    load.stop()


def hpa(name: str) -> Manifest:
    target = {"type": "AverageValue", "averageValue": str(PER_REPLICA)}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": name},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
            "minReplicas": 1,
            "maxReplicas": MOST,
            "metrics": [
                {"type": "Pods", "pods": {"metric": {"name": METRIC}, "target": target}},
            ],
            "behavior": {"scaleDown": {"stabilizationWindowSeconds": 0}},
        },
    }


@pytest.mark.story(of=from_the_hpa)
def test_from_the_hpa(stories: Stories) -> None:
    """A real HPA hands a fleet over by what `adopt` prints, and takes it back: no request lost, never two at once."""
    stories.end_of(from_the_hpa)


@pytest.mark.long
@pytest.mark.story(of=from_keda)
def test_from_keda(stories: Stories) -> None:
    """Real KEDA hands a fleet over by what `adopt` prints, and takes it back: no request lost, never two at once."""
    stories.end_of(from_keda, within=LONG_WITHIN_SECONDS)
