"""Parts of the page that no server without a GPU shows, beside recordings of servers with one."""

import re
from pathlib import Path

import pytest

from e2e.rig.fleet_exporter.rates import PoissonArrivals, constant
from e2e.rig.fleet_exporter.simulated_server import SimulatedServer
from e2e.rig.fleet_exporter.triton_settings import ANNOTATION, TritonSettings, read_settings

RECORDING = Path(__file__).parents[2] / "fixtures" / "expositions" / "triton-gpu.txt"
PIECES = list(constant(50).pieces(0, 10.5))


def page(settings: TritonSettings, *, seconds: float = 10.5) -> str:
    server = SimulatedServer("uid/0", settings, PoissonArrivals(1), started_at=0.0)
    server.advance(PIECES if seconds else (), 1.0, seconds)
    return server.page()


def shape(text: str) -> list[str]:
    """Lines without GPU identities and numbers."""
    text = re.sub(r"GPU-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "GPU-UUID", text)
    return [line if line[0] == "#" else line.rsplit(" ", 1)[0] for line in text.splitlines()]


def values(text: str) -> dict[str, float]:
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in lines}


def gpu_values(text: str) -> dict[str, float]:
    return {
        name.partition("{")[0]: value
        for name, value in values(text).items()
        if name.startswith(("nv_gpu", "nv_energy"))
    }


def test_gpu_series_have_the_shape_of_the_recording() -> None:
    with_gpu = shape(page(TritonSettings(gpu_metrics=True)))
    recorded = shape(RECORDING.read_text())
    first = with_gpu.index(recorded[0])
    assert with_gpu[first : first + len(recorded)] == recorded
    assert with_gpu[:first] + with_gpu[first + len(recorded) :] == shape(page(TritonSettings()))


def test_gpu_series_stand_between_pinned_memory_and_cpu() -> None:
    families = [
        line.split()[2]
        for line in page(TritonSettings(gpu_metrics=True)).splitlines()
        if "# TYPE" in line
    ]
    first = families.index("nv_gpu_utilization")
    assert families[first - 1] == "nv_pinned_memory_pool_used_bytes"
    assert families[first + 6] == "nv_cpu_utilization"


def test_utilization_is_the_duty_cycle_and_says_nothing_about_capacity() -> None:
    """At half of what the server can do its GPU already reads as almost always busy."""
    found = gpu_values(page(TritonSettings(gpu_metrics=True)))
    assert 0.9 <= found["nv_gpu_utilization"] <= 1
    assert 33 < found["nv_gpu_power_usage"] < found["nv_gpu_power_limit"]
    assert 10 * 33 < found["nv_energy_consumption"] < 10 * found["nv_gpu_power_limit"]


def test_gpu_and_host_read_zero_until_the_first_poll() -> None:
    at_start = page(TritonSettings(gpu_metrics=True), seconds=0)
    assert set(gpu_values(at_start).values()) == {0}
    assert values(at_start)["nv_cpu_memory_total_bytes"] == 0


@pytest.mark.parametrize(
    ("loaded_after_start", "labelled"),
    [
        (False, set()),
        (
            True,
            {
                "nv_inference_request_success",
                "nv_inference_count",
                "nv_inference_exec_count",
                "nv_inference_request_duration_us",
                "nv_inference_queue_duration_us",
                "nv_inference_compute_input_duration_us",
                "nv_inference_compute_infer_duration_us",
                "nv_inference_compute_output_duration_us",
                'nv_inference_request_failure reason="BACKEND"',
                'nv_inference_request_failure reason="OTHER"',
            },
        ),
    ],
    ids=["loaded at start", "loaded later"],
)
def test_gpu_uuid_is_on_instance_series_of_models_loaded_later(
    loaded_after_start: bool, labelled: set[str]
) -> None:
    settings = TritonSettings(gpu_metrics=True, loaded_after_start=loaded_after_start)
    found = set()
    for name in values(page(settings)):
        family, _, labels = name.partition("{")
        if family.startswith("nv_inference") and "gpu_uuid=" in labels:
            reason = re.search(r'reason="\w+"', labels)
            found.add(f"{family} {reason[0]}" if reason else family)
    assert found == labelled


def test_counters_stand_still_where_counter_latencies_are_off() -> None:
    frozen = values(page(TritonSettings(counter_latencies=False)))
    moving = [n for n, v in frozen.items() if n.startswith("nv_inference") and v]
    assert [name for name in moving if "pending" not in name] == []


def test_warm_up_is_on_the_first_page() -> None:
    first = values(page(TritonSettings(warmup_requests=6), seconds=0))
    assert first['nv_inference_request_success{model="sleepy",version="1"}'] == 6


def test_labels_are_escaped() -> None:
    assert r'model="a\"b\\c"' in page(TritonSettings(model='a"b\\c'))


def test_a_wrong_annotation_names_the_field() -> None:
    with pytest.raises(ValueError, match="maxBatchSize"):
        read_settings({ANNOTATION: '{"maxBatchSize": 0}'})


def test_settings_survive_the_annotation() -> None:
    settings = TritonSettings(alpha_milliseconds=12.5, gpu_metrics=True)
    assert read_settings(settings.annotation()) == settings
