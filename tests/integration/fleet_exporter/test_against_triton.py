"""The simulated page beside the page of a real Triton: same shape, same arithmetic."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from e2e.rig.fleet_exporter.batch_queue import BatchQueue
from e2e.rig.fleet_exporter.exposition import CONTENT_TYPE
from e2e.rig.fleet_exporter.rates import PoissonArrivals, constant
from e2e.rig.fleet_exporter.simulated_server import SimulatedServer
from e2e.rig.fleet_exporter.triton_settings import TritonSettings
from e2e.rig.models.sleepy import SleepyModel
from tests.integration.fleet_exporter.pages import Page, difference, parse
from tests.integration.fleet_exporter.real_triton import Recording, record

MODEL = SleepyModel()  # 40 ms + 5 ms per request, batches of up to 8
SETTINGS = TritonSettings()
BURST = 30
BATCHED = (5, 4)  # five requests of batch size four
RATE, LOAD_SECONDS = 70.0, 4.0
INSTANTS = PoissonArrivals(seed=7).instants(list(constant(RATE).pieces(0, LOAD_SECONDS)), 1.0)
# A busy machine makes the real one late, and each request arrive later than it was sent.
MACHINE_TOLERANCE = 0.25
SAME_ARRIVALS_TOLERANCE = 0.15


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    folder = tmp_path_factory.mktemp("triton")
    return asyncio.run(record(folder, MODEL, instants=INSTANTS, burst=BURST, batched=BATCHED))


class _At:
    """Arrivals at given instants."""

    def __init__(self, instants: list[float]) -> None:
        self._instants = instants

    def instants(self, *_: object) -> list[float]:
        return self._instants


@pytest.fixture(scope="module")
def simulated(real: Recording) -> Recording:
    """The same story told by a simulated server, with the arrivals and batch times of the real one."""
    settings = SETTINGS.model_copy(
        update={
            "alpha_milliseconds": real.alpha_seconds * 1000,
            "beta_milliseconds": real.beta_seconds * 1000,
        }
    )
    server = SimulatedServer("uid/0", settings, PoissonArrivals(0), started_at=0.0)

    def page_at(seconds: float, instants: list[float]) -> Page:
        server.arrive_by(_At(instants))  # type: ignore[arg-type]
        server.advance([(0.0, 0.0, 0.0)], 1.0, seconds)
        return parse(server.page())

    fresh = page_at(0.0, [])
    in_flight = page_at(0.128, [0.1] * BURST)
    before = page_at(3.0, [])
    after = page_at(12.0, [5.0 + instant for instant in real.sent])
    batched = SimulatedServer(
        "uid/1",
        SETTINGS.model_copy(update={"inferences_per_request": BATCHED[1]}),
        _At([0.5] * BATCHED[0]),  # type: ignore[arg-type]
        started_at=0.0,
    )
    batched.advance([(0.0, 0.0, 0.0)], 1.0, 5.0)
    return Recording(
        content_type=CONTENT_TYPE,
        fresh=fresh,
        in_flight=in_flight,
        before_load=before,
        after_load=after,
        after_batched=parse(batched.page()),
        sent=real.sent,
        load_seconds=real.load_seconds,
        alpha_seconds=real.alpha_seconds,
        beta_seconds=real.beta_seconds,
    )


@pytest.mark.parametrize("page", ["fresh", "in_flight", "after_load", "after_batched"])
def test_families_texts_types_and_labels_are_those_of_triton(
    real: Recording, simulated: Recording, page: str
) -> None:
    assert getattr(simulated, page).families == getattr(real, page).families


def test_the_content_type_is_that_of_triton(real: Recording, simulated: Recording) -> None:
    assert simulated.content_type == real.content_type


@dataclass(frozen=True, slots=True)
class Moved:
    """Increases over the load."""

    success: float
    inferences: float
    executions: float
    request: float
    queue: float
    compute: float
    failures: float
    seconds: float


def moved(recording: Recording) -> Moved:
    change = difference(recording.after_load, recording.before_load)
    parts = ("input", "infer", "output")
    return Moved(
        success=change["nv_inference_request_success"],
        inferences=change["nv_inference_count"],
        executions=change["nv_inference_exec_count"],
        request=change["nv_inference_request_duration_us"],
        queue=change["nv_inference_queue_duration_us"],
        compute=sum(change[f"nv_inference_compute_{part}_duration_us"] for part in parts),
        failures=change["nv_inference_request_failure"],
        seconds=recording.load_seconds,
    )


ONE, FULL = 45_000, 80_000  # microseconds of a batch of one and of eight

RELATIONS: dict[str, Callable[[Moved], bool]] = {
    "every answered request is a success": lambda m: m.success == len(INSTANTS),
    "requests of batch size one are one inference each": lambda m: m.inferences == m.success,
    "batches form, of at most eight": lambda m: m.success / 8 <= m.executions < m.success,
    "nothing has failed": lambda m: m.failures == 0,
    "request = queue + compute, and less than a millisecond": lambda m: (
        0 < m.request - m.queue - m.compute < 1000 * m.success
    ),
    "compute per request is the time of its batch": lambda m: (
        ONE <= m.compute / m.success <= FULL * (1 + MACHINE_TOLERANCE)
    ),
    "compute per batch is several times too large": lambda m: m.compute / m.executions > FULL,
    "mean busy instances is about one": lambda m: (
        0.6 < m.compute / m.success * m.executions / m.seconds / 1e6 < 1 + MACHINE_TOLERANCE
    ),
    "requests wait longer than nothing": lambda m: m.queue / m.success > 1000,
}


@pytest.mark.parametrize("relation", RELATIONS.values(), ids=RELATIONS)
def test_arithmetic_holds_on_both_pages(
    real: Recording, simulated: Recording, relation: Callable[[Moved], bool]
) -> None:
    assert relation(moved(real)), moved(real)
    assert relation(moved(simulated)), moved(simulated)


PAGES: dict[str, Callable[[Recording], bool]] = {
    "all series are there at zero before the first request": lambda r: all(
        value == 0 for name, value in r.fresh.values.items() if name.startswith("nv_inference")
    ),
    "what runs is neither pending nor counted yet": lambda r: (
        r.in_flight["nv_inference_pending_request_count"] > 0
        and r.in_flight["nv_inference_pending_request_count"]
        + r.in_flight["nv_inference_request_success"]
        < BURST
    ),
    "nothing is pending after the load": lambda r: (
        r.after_load["nv_inference_pending_request_count"] == 0
    ),
    "host figures are there after the first poll": lambda r: (
        r.after_load["nv_cpu_memory_total_bytes"] > 0
        and r.after_load["nv_pinned_memory_pool_total_bytes"] == 256 * 1024**2
    ),
}


@pytest.mark.parametrize("holds", PAGES.values(), ids=PAGES)
def test_moments_of_a_life_look_alike(
    real: Recording, simulated: Recording, holds: Callable[[Recording], bool]
) -> None:
    assert holds(real)
    assert holds(simulated)


def test_a_request_of_batch_size_four_is_four_inferences(
    real: Recording, simulated: Recording
) -> None:
    requests, batch = BATCHED
    change = difference(real.after_batched, real.after_load)
    assert change["nv_inference_count"] == requests * batch
    assert change["nv_inference_request_success"] == requests
    assert simulated.after_batched["nv_inference_count"] == requests * batch
    assert simulated.after_batched["nv_inference_request_success"] == requests


def test_the_same_arrivals_wait_and_compute_as_long(real: Recording, simulated: Recording) -> None:
    expected, found = moved(real), moved(simulated)
    assert found.compute == pytest.approx(expected.compute, rel=SAME_ARRIVALS_TOLERANCE)
    assert found.queue == pytest.approx(expected.queue, rel=SAME_ARRIVALS_TOLERANCE)
    assert found.executions == pytest.approx(expected.executions, rel=SAME_ARRIVALS_TOLERANCE)


def test_full_batches_reach_the_capacity_of_the_model() -> None:
    queue = BatchQueue(SETTINGS.service)
    queue.advance([n / 1000 for n in range(10_000)], 10.0)
    assert queue.counters.request_success / 10 == pytest.approx(MODEL.capacity_per_second, rel=0.01)
