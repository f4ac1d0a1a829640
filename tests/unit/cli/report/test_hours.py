"""For how long a report knows anything: hours compared, hours recorded, and what it says of the others."""

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from tests.unit.cli.report.test_report import GIVEN, WEEK, reported
from tests.unit.cli.report.world import END, FIRST, week


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
