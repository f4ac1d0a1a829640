"""Constants that are changed, and the page that tells what came of it."""

from dataclasses import replace
from importlib import import_module

import pytest

from benchmarks.sensitivity import CONSTANTS, SHORT, UNCHANGED, Outcome, bar, cases_of, page

BASE = Outcome(
    replayed=SHORT,
    constant=UNCHANGED,
    factor=1.0,
    value=0.0,
    trace="mlarge-day",
    ratio_to_bound=1.1,
    attainment_percent=99.0,
)
HALF = replace(BASE, constant="headroom.choice.AHEAD", factor=0.5, value=1.2, ratio_to_bound=1.221)
MORE = replace(HALF, factor=1.5, ratio_to_bound=1.1)


@pytest.mark.parametrize("replayed", CONSTANTS)
def test_each_constant_is_one_and_has_cases(replayed: str) -> None:
    assert cases_of(replayed)
    for module, names in CONSTANTS[replayed].items():
        for name in names:
            value = getattr(import_module(f"inference_cost.decide.{module}"), name)
            assert isinstance(value, float | int)


def test_the_page_tells_by_how_much_it_would_be_worse() -> None:
    text = page([BASE, HALF, MORE])
    assert "| `headroom.choice.AHEAD` | 1.2 | +11.0 % | +0.0 % | █████ |" in text
    assert "## The short benchmark" in text


def test_later_counts_as_dearer() -> None:
    assert replace(BASE, attainment_percent=98.0).score > BASE.score
    assert replace(BASE, attainment_percent=99.9).score < BASE.score


@pytest.mark.parametrize(("percent", "blocks"), [(-5.0, 0), (1.9, 0), (4.1, 2), (300.0, 20)])
def test_noise_has_no_bar(percent: float, blocks: int) -> None:
    assert bar(percent) == "█" * blocks
