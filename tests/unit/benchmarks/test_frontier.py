"""Ours beside all knobs of others, at an attainment that both have."""

from dataclasses import replace

from benchmarks.replay import frontier
from benchmarks.replay.frontier import Point, cases_of, cheapest, useful
from benchmarks.replay.frontier_table import frontier_table, short_table
from tests.unit.benchmarks.runs import ours, rows

HPA = Point(
    trace="mlarge",
    start="180",
    queue_delay_milliseconds=0.0,
    policy="hpa",
    knob="tuned: target 0.50",
    cost_dollars=140.0,
    attainment_percent=99.2,
)
LATER = replace(HPA, knob="tuned: target 0.60", cost_dollars=120.0, attainment_percent=98.6)
USELESS = replace(HPA, knob="tuned: target 0.55", cost_dollars=145.0, attainment_percent=99.0)
DEFAULT = replace(HPA, knob="default: target 0.70", cost_dollars=150.0, attainment_percent=98.0)
OTHER = replace(LATER, policy="wva", cost_dollars=119.0)


def test_what_is_dearer_and_later_is_left_out_but_for_the_default() -> None:
    assert list(useful([DEFAULT, USELESS, LATER, HPA, OTHER])) == [HPA, LATER, DEFAULT, OTHER]


def test_the_cheapest_is_late_no_more_often() -> None:
    assert cheapest([HPA, LATER], 99.0) == HPA
    assert cheapest([HPA, LATER], 98.5) == LATER
    assert cheapest([HPA, LATER], 99.5) is None


def test_they_are_kept_and_replaced_by_case() -> None:
    assert frontier.from_csv(frontier.to_csv([HPA, LATER])) == (HPA, LATER)
    delayed = replace(HPA, queue_delay_milliseconds=2.0)
    assert frontier.replaced([HPA, LATER, delayed], [OTHER]) == (delayed, OTHER)


def test_only_where_ours_misses_it_is_compared_below_the_objective() -> None:
    missed, met = rows(ours(114.0, 0.985)), rows(ours(114.0, 0.991))
    assert [case.start for case in cases_of(missed) if not case.queue_delay_milliseconds] == ["180"]
    assert [case for case in cases_of(met) if not case.queue_delay_milliseconds] == []
    told = frontier_table(missed, [HPA, LATER])
    assert "hpa 1.20 (98.6) | tuned: target 0.60 | 0.95 |" in told
    assert "never" in frontier_table(missed, [replace(LATER, attainment_percent=98.0)])


def test_of_an_hour_the_default_of_wva_is_what_is_compared_with() -> None:
    [row] = rows(ours(114.0, 0.985))
    wva = (
        replace(OTHER, knob="default: 0.80", attainment_percent=98.1),
        replace(OTHER, cost_dollars=100.0),
    )
    assert "| 1.14 |" in short_table([replace(row, days=0.04)], wva)
    assert short_table([row], wva) == "Not run."
