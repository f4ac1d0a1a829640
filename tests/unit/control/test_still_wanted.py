"""What calls off a write between the look and the write."""

from collections.abc import Callable
from pathlib import Path

import pytest

from inference_cost.control.still_wanted import StillWanted
from inference_cost.control.switch import EnforceSwitch
from inference_cost.model.policy import Policy
from inference_cost.observe.cluster_cache import ClusterCache
from inference_cost.observe.policies import PolicyParser
from tests.unit.observe.world import Object, filled, namespace, policy

PAUSED = {"inferencecost.dev/paused": "true"}
HELD = {"inferencecost.dev/paused-replicas": "4"}
KIND = "InferenceCostPolicy"


def seen(*objects: Object) -> tuple[ClusterCache, Policy]:
    cache = filled(*objects)
    (found,), _ = PolicyParser().parse(cache.policies(), cache.namespace)
    return cache, found


def wanted(cache: ClusterCache, found: Policy) -> bool:
    return StillWanted(cache, EnforceSwitch(enabled=True, file=None))(found)


def test_nothing_happened() -> None:
    assert wanted(*seen(policy(), namespace()))


CHANGES: dict[str, Callable[[ClusterCache], object]] = {
    "the policy is paused": lambda c: c.apply(KIND, None, policy(annotations=PAUSED)),
    "the policy is to be held at a number": lambda c: c.apply(KIND, None, policy(annotations=HELD)),
    "its namespace is paused": lambda c: c.apply("Namespace", None, namespace(paused="true")),
    "an annotation means nothing": lambda c: c.apply("Namespace", None, namespace(paused="yes")),
    "the policy is edited": lambda c: c.apply(KIND, None, policy(generation=2)),
    "the policy is made anew": lambda c: c.apply(KIND, None, policy(uid="another")),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_write_is_called_off_when(change: Callable[[ClusterCache], object]) -> None:
    cache, found = seen(policy(), namespace())
    change(cache)
    assert not wanted(cache, found)


def test_a_number_that_a_pause_asks_for_is_written_while_it_is_asked_for() -> None:
    cache, found = seen(policy(annotations=HELD))
    assert wanted(cache, found)
    cache.apply(KIND, None, policy())
    assert not wanted(cache, found)


def test_a_write_is_called_off_when_the_switch_is_turned_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text("enforce: {enabled: true}\n")
    monkeypatch.setenv("INFERENCE_COST_CONFIG_FILE", str(file))
    cache, found = seen(policy())
    check = StillWanted(cache, EnforceSwitch(enabled=True, file=file))
    assert check(found)
    file.write_text("enforce: {enabled: false}\n")
    assert not check(found)
