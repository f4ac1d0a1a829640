"""What Triton says of its models, and the catalog that never makes a tick wait."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from inference_cost.model.observation import DecisionSettings
from inference_cost.model.policy import Policy
from inference_cost.model.profile_key import SEVERAL, UNKNOWN
from inference_cost.model.reading import Missing, MissingReason
from inference_cost.model.signals import BatchStatistic, ModelConfiguration
from inference_cost.observe.model_catalog import DISABLED, NO_POD, NOT_READ_YET, ModelCatalog
from inference_cost.observe.observer import Observer, ObserveSettings
from inference_cost.observe.policies import parse_record
from inference_cost.observe.records import PodRecord
from inference_cost.observe.settings import AddressRule, TritonSettings
from inference_cost.observe.triton_client import loaded_models, mapped_address, parse_configuration
from tests.unit.observe.world import NOW, RECORDED, deployment, filled, node, pod, policy


def recorded(name: str) -> Any:
    return json.loads((RECORDED / name).read_text())


def test_the_recorded_configuration_of_the_real_triton() -> None:
    found = parse_configuration(recorded("model_config.json"), recorded("model_stats.json"))
    assert (found.model, found.max_batch_size, found.instances) == ("sleepy", 8, 1)
    assert found.dynamic_batching
    assert not found.decoupled
    assert not found.queue_policy
    assert found.queue_delay_seconds == pytest.approx(0.002)


def test_the_recorded_batch_statistics_show_the_model_s_service_time() -> None:
    found = parse_configuration(recorded("model_config.json"), recorded("model_stats.json"))
    by_size = {s.batch_size: s for s in found.batch_statistics}
    assert sum(s.batch_size * s.executions for s in by_size.values()) == 73
    # alpha 40 ms, beta 5 ms; first executions and a busy machine add to it.
    assert 0.045 <= by_size[1].mean_seconds < 0.065
    assert 0.080 <= by_size[8].mean_seconds < 0.100
    assert found.version == "1"


@pytest.mark.parametrize(
    ("versions", "expected"), [(("2",), "2"), (("1", "2"), SEVERAL), ((), UNKNOWN)]
)
def test_statistics_say_of_which_version_they_are(
    versions: tuple[str, ...], expected: str | Missing
) -> None:
    stats = {"model_stats": [{"name": "sleepy", "version": one} for one in versions]}
    assert parse_configuration(recorded("model_config.json"), stats).version == expected


def configured(**changes: Any) -> ModelConfiguration:
    return parse_configuration({**recorded("model_config.json"), **changes}, {})


INSTANCES: dict[str, tuple[list[dict[str, Any]], int]] = {
    "none listed": ([], 1),
    "two on the CPU": ([{"kind": "KIND_CPU", "count": 2}], 2),
    "two on each of three GPUs": ([{"kind": "KIND_GPU", "count": 2, "gpus": [0, 1, 2]}], 6),
    "groups are added": ([{"kind": "KIND_CPU", "count": 1}, {"kind": "KIND_MODEL", "count": 1}], 2),
    "a passive group never runs": (
        [{"kind": "KIND_CPU", "count": 3, "passive": True}, {"kind": "KIND_CPU", "count": 1}],
        1,
    ),
}


@pytest.mark.parametrize(("groups", "expected"), INSTANCES.values(), ids=INSTANCES)
def test_instances(groups: list[dict[str, Any]], expected: int) -> None:
    assert configured(instance_group=groups).instances == expected


def test_a_model_without_dynamic_batching_says_so() -> None:
    configuration = {k: v for k, v in recorded("model_config.json").items() if "batching" not in k}
    assert not parse_configuration(configuration, {}).dynamic_batching


POLICIES = {
    "a queue limit": {"default_queue_policy": {"max_queue_size": 16}},
    "a timeout": {"default_queue_policy": {"default_timeout_microseconds": 1000}},
    "priorities": {"priority_levels": 2},
}


@pytest.mark.parametrize("batching", POLICIES.values(), ids=POLICIES)
def test_a_queue_that_refuses_or_reorders_is_told(batching: dict[str, Any]) -> None:
    assert configured(dynamic_batching=batching).queue_policy


def test_decoupled_models_are_told() -> None:
    assert configured(model_transaction_policy={"decoupled": True}).decoupled


NOTHING_SPECIAL = {
    "preferred_batch_sizes": (),
    "sequence_batching": False,
    "ensemble": False,
    "response_cache": False,
    "rate_limited": False,
}
KINDS = {
    "sequence batching": "sequence_batching",
    "ensemble": "ensemble",
    "response cache": "response_cache",
    "rate limiter": "rate_limited",
}


def special(configuration: ModelConfiguration) -> dict[str, Any]:
    return {name: getattr(configuration, name) for name in NOTHING_SPECIAL}


@pytest.mark.parametrize("kind", KINDS)
def test_kinds_of_models_as_the_real_triton_tells_them(kind: str) -> None:
    found = parse_configuration(recorded("model_kinds.json")[kind], {})
    assert special(found) == NOTHING_SPECIAL | {KINDS[kind]: True}


SIZES: dict[str, tuple[dict[str, Any], tuple[int, ...], int]] = {
    "the default, as Triton fills it in": ({"preferred_batch_size": [8]}, (), 8),
    "none told": ({}, (), 8),
    "one, without a delay": ({"preferred_batch_size": [4]}, (4,), 4),
    "one, with a delay": (
        {"preferred_batch_size": [4], "max_queue_delay_microseconds": 2000},
        (4,),
        8,
    ),
    "several": ({"preferred_batch_size": [8, 4]}, (4, 8), 8),
}


@pytest.mark.parametrize(("batching", "sizes", "largest"), SIZES.values(), ids=SIZES)
def test_preferred_batch_sizes(
    batching: dict[str, Any], sizes: tuple[int, ...], largest: int
) -> None:
    found = configured(dynamic_batching=batching)
    assert (found.preferred_batch_sizes, found.largest_batch) == (sizes, largest)


def test_the_recorded_model_is_of_no_special_kind() -> None:
    assert special(configured()) == NOTHING_SPECIAL
    assert not configured(response_cache={"enable": False}).response_cache


def test_loaded_models_are_those_that_are_ready() -> None:
    index = [
        {"name": "a", "version": "1", "state": "READY"},
        {"name": "a", "version": "2", "state": "READY"},
        {"name": "b", "state": "UNAVAILABLE"},
        {"name": "c"},
    ]
    assert loaded_models(index) == ("a", "c")
    assert loaded_models(recorded("repository_index.json")) == ("sleepy",)


def test_the_first_address_rule_that_fits_is_used() -> None:
    rules = (
        AddressRule(pattern=r"10\.244\.(\d+)\.(\d+)", replacement="127.0.$1.${2}"),
        AddressRule(pattern=r".*", replacement="unreachable"),
    )
    assert mapped_address("10.244.1.7", rules) == "127.0.1.7"
    assert mapped_address("10.1.1.1", rules[:1]) == "10.1.1.1"


SETTLED = BatchStatistic(batch_size=8, executions=1_000, mean_seconds=0.08)
CONFIGURATION = replace(configured(), batch_statistics=(SETTLED,))
UNREACHABLE = Missing(reason=MissingReason.SOURCE_UNREACHABLE, detail="x")


class Answers:
    """A Triton reader whose answers are given one after the other; it can be held back."""

    def __init__(self, *answers: tuple[ModelConfiguration, ...] | Missing) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def read(
        self, pod_ip: str, models: Sequence[str]
    ) -> tuple[ModelConfiguration, ...] | Missing:
        assert models == ()
        self.asked.append(pod_ip)
        await self.gate.wait()
        return self.answers.pop(0)


class Bench:
    """A catalog with a clock of its own, one policy and its pods."""

    def __init__(self, reader: Answers, **settings: Any) -> None:
        self.now = 0.0
        self.catalog = ModelCatalog(reader, TritonSettings(**settings), clock=lambda: self.now)
        cache = filled(policy(), pod("a", ip="10.0.0.1"), pod("b", ip="10.0.0.2", ready_for=900))
        parsed = parse_record(cache.policies()[0])
        assert isinstance(parsed, Policy)
        self.policy = parsed
        self.pods: list[PodRecord] = cache.pods("vision")

    async def look(self, *newest: str) -> tuple[ModelConfiguration, ...] | Missing:
        found = self.catalog.configurations(self.policy, newest or ("aaa",), self.pods)
        await self.catalog.settle()
        return found


async def test_the_first_look_does_not_wait_and_the_next_one_knows() -> None:
    bench = Bench(Answers((CONFIGURATION,)))
    assert await bench.look() == NOT_READ_YET
    assert await bench.look() == (CONFIGURATION,)


async def test_a_pod_that_hangs_delays_nothing_and_is_asked_once() -> None:
    reader = Answers((CONFIGURATION,))
    bench = Bench(reader)
    reader.gate.clear()
    for _ in range(3):
        assert bench.catalog.configurations(bench.policy, ("aaa",), bench.pods) == NOT_READ_YET
        await asyncio.sleep(0)
    assert len(reader.asked) == 1
    await bench.catalog.close()


async def test_the_pod_that_is_ready_the_longest_is_asked() -> None:
    reader = Answers((CONFIGURATION,))
    await Bench(reader).look()
    assert reader.asked == ["10.0.0.2"]


PRODUCTS: dict[str, tuple[dict[str, str], str | Missing]] = {
    "as its node is labelled": ({"nvidia.com/gpu.product": "NVIDIA-L4"}, "NVIDIA-L4"),
    "not known without a label": ({}, UNKNOWN),
}


@pytest.mark.parametrize(("labels", "product"), PRODUCTS.values(), ids=PRODUCTS)
async def test_timings_say_on_which_gpu(labels: dict[str, str], product: str | Missing) -> None:
    catalog = ModelCatalog(Answers((CONFIGURATION,)), TritonSettings(), clock=lambda: 0.0)
    cache = filled(policy(), deployment(), pod("a"), node(labels=labels))
    observer = Observer(
        cache=cache,
        metrics=None,
        models=catalog,
        settings=ObserveSettings(),
        decision=DecisionSettings(),
    )
    await observer.observe(NOW)
    await catalog.settle()
    [seen] = (await observer.observe(NOW)).observations
    assert seen.configurations == (replace(CONFIGURATION, gpu_product=product),)


async def test_an_answer_is_used_for_minutes() -> None:
    reader = Answers((CONFIGURATION,), ())
    bench = Bench(reader, refresh_seconds=300)
    await bench.look()
    bench.now = 299
    await bench.look()
    assert len(reader.asked) == 1
    bench.now = 301
    await bench.look()
    assert len(reader.asked) == 2


async def test_timings_of_few_batches_are_asked_for_again_sooner() -> None:
    fresh = replace(CONFIGURATION, batch_statistics=())
    reader = Answers((fresh,), (CONFIGURATION,))
    bench = Bench(reader, refresh_seconds=300, retry_seconds=30)
    await bench.look()
    bench.now = 31
    await bench.look()
    assert await bench.look() == (CONFIGURATION,)
    bench.now = 62
    await bench.look()
    assert len(reader.asked) == 2


async def test_a_failure_is_tried_again_sooner() -> None:
    bench = Bench(Answers(UNREACHABLE, (CONFIGURATION,)), retry_seconds=30)
    await bench.look()
    assert await bench.look() == UNREACHABLE
    bench.now = 31
    await bench.look()
    assert await bench.look() == (CONFIGURATION,)


async def test_an_unreachable_pod_does_not_undo_what_was_known() -> None:
    bench = Bench(Answers((CONFIGURATION,), UNREACHABLE))
    await bench.look()
    bench.now = 1000
    await bench.look()
    assert await bench.look() == (CONFIGURATION,)


async def test_a_new_template_is_asked_anew() -> None:
    other = replace(CONFIGURATION, max_batch_size=4)
    bench = Bench(Answers((CONFIGURATION,), (other,)))
    await bench.look()
    bench.pods += filled(pod("c", template_hash="bbb", ip="10.0.0.3")).pods("vision")
    await bench.look("bbb")
    assert await bench.look("bbb") == (other,)


async def test_until_it_answers_the_old_template_tells_without_its_timings() -> None:
    """A rollout does not make batching unknown: three times the replicas were ordered."""
    bench = Bench(Answers((CONFIGURATION,)))
    await bench.look()
    untimed = (replace(CONFIGURATION, batch_statistics=()),)
    assert await bench.look("bbb") == untimed
    bench.pods = []
    assert await bench.look("bbb") == NO_POD


async def test_a_policy_that_is_gone_is_forgotten() -> None:
    bench = Bench(Answers((CONFIGURATION,)))
    await bench.look()
    bench.catalog.forget_others(set())
    bench.pods = []
    assert await bench.look() == NO_POD


async def test_switched_off_it_asks_nobody() -> None:
    reader = Answers()
    assert await Bench(reader, enabled=False).look() == DISABLED
    assert reader.asked == []


async def test_of_several_variants_the_first_that_is_known_tells() -> None:
    """One that runs nothing now, or nothing that was asked yet, hides nothing."""
    bench = Bench(Answers((CONFIGURATION,)))
    assert await bench.look("", "aaa") == NOT_READ_YET
    assert await bench.look("", "aaa") == (CONFIGURATION,)
    assert await bench.look("aaa", "bbb") == (CONFIGURATION,)
