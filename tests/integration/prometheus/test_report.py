"""A report's series, asked of a real Prometheus that scraped the operator's own exposition."""

import time
from decimal import Decimal

import pytest

from inference_cost.cli.ago import Times
from inference_cost.cli.prometheus import Prometheus
from inference_cost.cli.prometheus_access import PrometheusAccess
from inference_cost.cli.report.series import read, scrape_seconds
from inference_cost.cli.report.window import window_of
from inference_cost.observe.recorded_costs import label_of
from tests.integration.prometheus.conftest import SCRAPE_INTERVAL_SECONDS, Source
from tests.integration.prometheus.test_recorded_costs import PER_TICK

SECONDS = 3600.0
NEVER = Times(begin=1000.0, end=4600.0)


def totals_at(prometheus: Prometheus, name: str, at: float) -> dict[str, Decimal]:
    """By line, as they stand."""
    return {
        label_of(one["metric"], "line"): Decimal(one["value"][1])
        for one in prometheus.at(f"inference_cost_{name}_total", at)
    }


def test_what_lines_grew_by_is_what_the_totals_grew_by(prometheus: Source) -> None:
    asked = Prometheus(PrometheusAccess(url=prometheus.url))
    end = time.time()
    assert scrape_seconds(asked, end) == pytest.approx(SCRAPE_INTERVAL_SECONDS, abs=0.2)
    window = window_of(Times(begin=end - SECONDS, end=end), SCRAPE_INTERVAL_SECONDS)
    recorded = read(asked, window, "USD")
    for (policy, line), grown in recorded.lines.items():
        name = "policy_cost" if policy[1] else "pool_cost"
        now = totals_at(asked, name, end)[line.kind.value]
        # The first value that was scraped is the beginning: one tick at most.
        assert float(now - sum(grown, Decimal(0))) == pytest.approx(0, abs=2 * PER_TICK)
        assert sum(grown, Decimal(0)) > 0
    assert {policy for policy, _ in recorded.lines} == {("team-a", "resnet"), ("", "")}
    assert recorded.began_late == ("pool l4", "team-a/resnet")


def test_of_another_currency_and_another_time_there_is_nothing(prometheus: Source) -> None:
    asked = Prometheus(PrometheusAccess(url=prometheus.url))
    now = time.time()
    assert read(asked, window_of(Times(begin=now - SECONDS, end=now), 1.0), "EUR").lines == {}
    assert read(asked, window_of(NEVER, 1.0), "USD").lines == {}
    assert scrape_seconds(asked, NEVER.end) == 0.0
