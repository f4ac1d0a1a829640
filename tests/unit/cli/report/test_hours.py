"""For how long a report knows anything: hours compared, hours recorded, and what it says of the others."""

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from inference_cost.cli.report.gaps import AFTER, BEFORE, BETWEEN, gaps_of
from inference_cost.cli.report.seen import Scope, Seen
from inference_cost.cli.report.window import Window
from tests.unit.cli.report.savings import NOTHING_RECORDED
from tests.unit.cli.report.test_report import GIVEN, WEEK, reported
from tests.unit.cli.report.world import DAY, END, FIRST, week


def test_no_policy_was_compared_for_longer_than_the_window_however_many_scrape_it(
    tmp_path: Path,
) -> None:
    """Both sides are series, and two Prometheus that nothing deduplicates have each of them twice."""
    twice = week()
    for family in twice.series.values():
        copies = [({**one.labels, "replica": "2"}, one) for one in family.values()]
        family |= {
            tuple(sorted(labels.items())): replace(one, labels=labels) for labels, one in copies
        }
    found = json.loads(reported(twice, tmp_path, "-A", "-o", "json", *WEEK, *GIVEN)[1])
    hours = [part["hours"] for one in found["policies"] for part in one["savings"]]
    assert hours == [162.0] * 3
    assert max(hours) <= found["window"]["hours"]
    assert found["returns"]["measured"]["cases"][1]["savedPerMonth"] == f"{12 * 730}.00"


def test_a_new_install_says_from_when_it_knows(tmp_path: Path) -> None:
    store = week()
    store.gone(FIRST - 2 * 86_400, END - 86_400)
    arguments = ("-A", "-o", "json", *WEEK)
    _, text, _ = reported(store, tmp_path, *arguments)
    found = json.loads(text)
    assert found["window"]["recordedHours"] == pytest.approx(25, abs=1)
    assert "what serving/resnet cost before it was first recorded in this time" in {
        one["what"] for one in found["gaps"]
    }
    # Of one day in place of seven: what ran before the first sample is not made up.
    assert Decimal(found["totals"]["cost"]) == pytest.approx(Decimal(96 * 4 + 240 + 96), abs=1)


def test_silence_at_the_end_is_in_no_figure_and_makes_no_month_cheaper(tmp_path: Path) -> None:
    """Two days are recorded, then nothing is scraped for five."""
    store = week()
    whole = json.loads(reported(store, tmp_path, "-A", "-o", "json", *WEEK)[1])
    store.gone(FIRST + 2 * DAY, END + 1)
    ended = json.loads(reported(store, tmp_path, "-A", "-o", "json", *WEEK)[1])
    assert ended["window"]["recordedHours"] == pytest.approx(48, abs=1)
    owned = [float(one["ownership"]["nodesPerMonth"]) for one in (whole, ended)]
    assert owned[1] == pytest.approx(owned[0], rel=0.02)
    for before, after in zip(whole["policies"], ended["policies"], strict=True):
        dear, now = (float(one["perThousandRequests"]) for one in (before, after))
        assert now == pytest.approx(dear, rel=0.2)
    (gap,) = (one for one in ended["gaps"] if one["what"].endswith("2025-03-10T00:00:00Z"))
    assert gap["what"].startswith("2025-03-05T0")
    assert gap["why"].endswith("what this time cost is not in any figure")


SILENCES = {
    "before anything is recorded": ([False, True, True], [BEFORE]),
    "between": ([True, False, True], [BETWEEN]),
    "at the end": ([True, True, False], [AFTER]),
    "all of it is told elsewhere": ([False, False, False], []),
    "what no figure has is not left out for many others": (
        [False, *([True, False] * 6)], [BEFORE, AFTER, BETWEEN, BETWEEN, BETWEEN, ""],
    ),
}  # fmt: skip


@pytest.mark.parametrize("sentence", SILENCES)
def test_a_silence_says_where_its_cost_is(sentence: str) -> None:
    known, why = SILENCES[sentence]
    window = Window(begin=FIRST, piece_seconds=3600.0, pieces=len(known))
    gaps = gaps_of(
        NOTHING_RECORDED,
        Seen(policies={}, pools={}, events=(), gaps=()),
        Scope(everywhere=True, namespace=""),
        window,
        policies=(),
        known=known,
        absent=(),
        nodes_why_not="",
    )
    assert [
        one.why.removeprefix("no series of the operator").removeprefix(": ") for one in gaps
    ] == why
