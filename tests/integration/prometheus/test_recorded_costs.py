"""What the operator exported of its accounts, read back from a real Prometheus that renames labels on a clash."""

import time
from decimal import Decimal

import pytest

from inference_cost.account.hand_over import RecordedCosts
from inference_cost.account.ledger.lines import Kind
from inference_cost.observe.recorded_costs import read_recorded
from inference_cost.observe.recorded_spending import Spending, read_spending
from inference_cost.observe.settings import PrometheusSettings
from tests.integration.prometheus.conftest import Source
from tests.integration.prometheus.test_real_prometheus import reader_of
from tests.unit.account.worlds import NOON

TICK = 15.0
# Two replicas at first, each on half of a node at 3.60 an hour.
PER_TICK = 2 * 1.80 * TICK / 3600


async def test_a_new_leader_reads_the_totals_and_up_to_when_they_count(prometheus: Source) -> None:
    settings = PrometheusSettings(url=prometheus.url)
    async with reader_of(settings) as reader:
        found = await read_recorded(reader, settings, currency="USD")
    assert isinstance(found, RecordedCosts), found
    resnet, pool = found.policies["team-a", "resnet"], found.pools["l4"]
    ticks = (resnet.counted_at - NOON) / TICK
    assert ticks >= 3
    for one, kind in ((resnet, Kind.SERVING), (pool, Kind.IDLE)):
        ((line, amount),) = one.totals
        assert (line.kind, line.pool) == (kind, "l4")
        assert float(amount) == pytest.approx(ticks * PER_TICK)
    assert resnet.month_to_date is not None
    assert float(resnet.month_to_date) == pytest.approx(ticks * PER_TICK)


async def test_what_was_spent_is_what_the_totals_grew_by(prometheus: Source) -> None:
    settings = PrometheusSettings(url=prometheus.url)
    async with reader_of(settings) as reader:
        recorded = await read_recorded(reader, settings, currency="USD")
        found = await read_spending(
            reader, settings, begin=time.time() - 3600, end=time.time(), currency="USD"
        )
        none = await read_spending(
            reader, settings, begin=time.time() - 3600, end=time.time(), currency="EUR"
        )
    assert isinstance(recorded, RecordedCosts)
    assert isinstance(found, Spending)
    ((_, total),) = recorded.policies["team-a", "resnet"].totals
    (amount,) = (one.amount for one in found.spent if one.policy == "resnet")
    assert abs(amount - total) <= Decimal(str(3 * PER_TICK))  # scraped meanwhile
    assert amount > 0
    assert isinstance(none, Spending)
    assert none.spent == ()
