"""Tokens, where the backend reports them."""

import pytest

from inference_cost.model.reading import Missing, MissingReason
from tests.unit.observe.test_series_and_counters import STEADY, TARGET, counters, entry, measured
from tests.unit.observe.world import Entry


def tokens(family: str, *values: float, **labels: str) -> Entry:
    """Half a minute apart, the last one now."""
    times = range(-30 * (len(values) - 1), 1, 30)
    all_labels = {**TARGET, "model": "sleepy", "version": "1", **labels}
    return entry(family, all_labels, *zip(times, values, strict=True))


REPORTED: dict[str, tuple[list[Entry], float]] = {
    "vLLM counts what it read and what it wrote": (
        [
            tokens("vllm:prompt_tokens_total", 1000, 1600),
            tokens("vllm:generation_tokens_total", 500, 800),
        ],
        900,
    ),
    "TensorRT-LLM has the sums of two histograms": (
        [
            tokens("nv_llm_input_token_len_sum", 10, 50, response_metric_type="total_input_tokens"),
            tokens(
                "nv_llm_output_token_len_sum", 5, 25, response_metric_type="total_output_tokens"
            ),
        ],
        60,
    ),
    "a restart loses nothing that was seen": (
        [tokens("vllm:generation_tokens_total", 100, 20, 70)],
        70,
    ),
    "a model that was not asked": ([tokens("vllm:generation_tokens_total", 100, 100)], 0),
}


@pytest.mark.parametrize(("entries", "expected"), REPORTED.values(), ids=REPORTED)
def test_tokens_of_a_window(entries: list[Entry], expected: float) -> None:
    assert measured(*counters(*STEADY), *entries).tokens == expected


def test_a_backend_without_tokens_has_none_and_not_zero() -> None:
    found = measured(*counters(*STEADY)).tokens
    assert isinstance(found, Missing)
    assert found.reason is MissingReason.NOT_EXPORTED
