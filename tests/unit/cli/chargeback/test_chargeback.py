"""`chargeback` from what a Prometheus remembers, over months, changes of leaders and policies that went."""

import csv
import io
import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference_cost.account.chargeback import By, Missed, rows_of
from inference_cost.cli.ago import Times, seconds_ago, times_of
from inference_cost.cli.backtest.options import HistoryOptions
from inference_cost.cli.chargeback.listing import Asked, csv_cells, table_cells, to_json, wider
from inference_cost.cli.csv_text import as_csv, safe
from inference_cost.cli.failure import CommandError, ExitCode
from inference_cost.model.reading import Missing, MissingReason
from inference_cost.observe.recorded_spending import Spending, periods_of, read_spending
from tests.unit.cli.chargeback.store import (
    DAY,
    FIRST,
    RESNET,
    SETTINGS,
    Store,
    amounts,
    spending,
)


async def test_what_was_counted_before_the_time_is_not_in_it() -> None:
    store = Store()
    store.record(0, *(10.0 * day for day in range(20)), **RESNET)
    assert amounts(await spending(store, 5, 15)) == [("team-a/resnet", Decimal(100))]


async def test_a_line_that_begins_in_the_time_counts_from_its_first_value() -> None:
    store = Store()
    store.record(7, 0.0, 10.0, 20.0, **RESNET)
    store.record(7, 500.0, 501.0, 502.0, **RESNET | {"policy": "first-scraped-late"})
    assert amounts(await spending(store, 5, 15)) == [
        ("team-a/resnet", Decimal(20)),
        ("team-a/first-scraped-late", Decimal(2)),
    ]


async def test_a_policy_that_went_is_charged_until_then() -> None:
    store = Store()
    store.record(0, *(10.0 * day for day in range(8)), **RESNET)
    assert amounts(await spending(store, 5, 25)) == [("team-a/resnet", Decimal(20))]


async def test_a_change_of_leaders_is_no_change_of_the_count() -> None:
    store = Store()
    store.record(0, *(10.0 * day for day in range(8)), **RESNET)
    store.record(8, *(10.0 * day for day in range(8, 20)), instance="b", **RESNET)
    found = await spending(store, 5, 15)
    assert amounts(found) == [("team-a/resnet", Decimal(100))]
    assert found.missed == ()


async def test_a_line_that_begins_before_a_change_of_leaders_counts_from_its_own_first_value() -> (
    None
):
    store = Store()
    store.record(7, 0.0, 10.0, **RESNET)
    store.record(9, 20.0, 30.0, instance="b", **RESNET)
    assert amounts(await spending(store, 5, 15)) == [("team-a/resnet", Decimal(30))]


async def test_a_count_that_began_anew_is_named() -> None:
    store = Store()
    store.record(0, *(10.0 * day for day in range(8)), **RESNET)
    store.record(8, 0.0, *(10.0 * day for day in range(1, 8)), instance="b", **RESNET)
    found = await spending(store, 5, 12)
    assert amounts(found) == [("team-a/resnet", Decimal(20))]
    assert [str(one) for one in found.missed] == [
        (
            "team-a/resnet: its total fell, for a leader did not know all that the one before had counted: part of what"
            " it cost is not in these amounts"
        )
    ]


async def test_each_month_is_a_period_of_its_own() -> None:
    store = Store()
    store.record(0, *(10.0 * day for day in range(80)), **RESNET)
    store.record(0, *(1.0 * day for day in range(80)))
    found = await spending(store, 10, 70)
    by_month = {(one.policy, round((one.end - one.begin) / DAY)): one.amount for one in found.spent}
    assert by_month["resnet", 21] == 210
    assert by_month["resnet", 28] == 280
    assert by_month["resnet", 11] == 110
    assert amounts(found) == [("team-a/resnet", Decimal(600)), ("(nobody)", Decimal(60))]


async def test_a_partial_answer_is_none() -> None:
    found = await read_spending(
        Store(partial=True), SETTINGS, begin=FIRST, end=FIRST + DAY, currency="USD"
    )
    assert isinstance(found, Missing)
    assert found.reason is MissingReason.PARTIAL


@given(st.floats(0, 1e9), st.floats(1, 400 * DAY))
def test_periods_are_the_time_without_holes_and_none_is_of_two_months(
    begin: float, seconds: float
) -> None:
    periods = periods_of(begin, begin + seconds)
    assert periods[0][0] == begin
    assert periods[-1][1] == begin + seconds
    for (_, end), (start, _) in pairwise(periods):
        assert end == start
        assert datetime.fromtimestamp(end, UTC).day == 1


ASKED = Asked(history=HistoryOptions(), by=By.COST_CENTER, currency="USD", account="prod")
WINDOW = Times(begin=FIRST, end=FIRST + DAY)


async def shown() -> Spending:
    store = Store()
    store.record(0, 0.0, 12.345, **RESNET)
    store.record(0, 0.0, 3.0, **RESNET | {"cost_center": "", "policy": "bert", "line": "boot"})
    store.record(0, 0.0, 1.5)
    return await spending(store, 0, 1)


async def test_table_json_and_csv_say_the_same() -> None:
    rows = rows_of((await shown()).spent, By.COST_CENTER)
    table = table_cells(rows, By.COST_CENTER)
    assert table == [
        {
            "cost-center": "search",
            "serving": "12.35",
            "boot": "0.00",
            "idle": "0.00",
            "total": "12.35",
        },
        {
            "cost-center": "(nobody)",
            "serving": "0.00",
            "boot": "3.00",
            "idle": "1.50",
            "total": "4.50",
        },
        {
            "cost-center": "total",
            "serving": "12.35",
            "boot": "3.00",
            "idle": "1.50",
            "total": "16.85",
        },
    ]
    cells = [csv_cells(row, rows, ASKED, WINDOW) for row in rows]
    read = list(csv.DictReader(io.StringIO(as_csv(cells, list(cells[0])), newline=""), strict=True))
    assert [{k: line[k] for k in table[0]} for line in read] == table[:-1]
    told = json.loads(json.dumps(to_json(rows, ASKED, WINDOW, await shown())))
    assert told["total"] == "16.85"
    assert [row["total"] for row in told["rows"]] == ["12.35", "4.50"]
    assert (told["from"], told["to"]) == ("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z")


async def test_every_form_names_what_its_rows_lack() -> None:
    lacks = Missed(namespace="team-a", policy="bert", pool="", what="a price was not known")
    spent = (await shown()).spent
    search, nobody = rows_of(spent, By.COST_CENTER, [lacks])
    assert (search.missed, nobody.missed) == ((), (lacks,))
    cells = csv_cells(nobody, [search, nobody], ASKED, WINDOW)
    assert cells["incomplete"] == "team-a/bert: a price was not known"
    told = to_json([search, nobody], ASKED, WINDOW, Spending(spent=spent, missed=(lacks,)))
    assert told["notes"] == ["team-a/bert: a price was not known"]
    table = wider(table_cells([search, nobody], By.COST_CENTER), [search, nobody])
    assert [(row["share"], row["notes"]) for row in table] == [
        ("73.3%", "0"),
        ("26.7%", "1"),
        ("", ""),
    ]


CELLS = {
    "=cmd|' /C calc'!A0": "'=cmd|' /C calc'!A0",
    "+1+1": "'+1+1",
    "-2+3": "'-2+3",
    "@SUM(A1)": "'@SUM(A1)",
    "\t=1": "'\t=1",
    "  =1": "'  =1",
    "＝1": "'＝1",  # noqa: RUF001
    "-12.50": "-12.50",
    "-12.0%": "-12.0%",
    "-12%+1": "'-12%+1",
    "team-a": "team-a",
    "": "",
}


@pytest.mark.parametrize("cell", CELLS)
def test_no_cell_becomes_a_formula(cell: str) -> None:
    assert safe(cell) == CELLS[cell]


@given(st.lists(st.text(), min_size=2, max_size=2))
def test_what_is_written_is_read_again_by_a_strict_reader(cells: Sequence[str]) -> None:
    rows = [dict(zip("ab", cells, strict=True))]
    (read,) = csv.DictReader(io.StringIO(as_csv(rows, ["a", "b"]), newline=""), strict=True)
    assert read == {head: safe(cell) for head, cell in rows[0].items()}


TIMES = {
    "the end before the beginning": ("-1h", "-2h", "--since -1h must be before --until -2h"),
    "the future": ("-1h", "2100-01-01T00:00:00Z", "--until 2100-01-01T00:00:00Z is in the future"),
    "no time": ("yesterday", "now", "--since yesterday: must be now"),
    "before there was anything": ("-30000d", "now", "--since -30000d is before 2015: give a later"),
    "before years": ("-800000d", "now", "--since -800000d is before 2015"),
    "the first day of all": ("0001-01-01", "now", "--since 0001-01-01 is before 2015"),
    "an end before years": ("-1h", "0001-01-01", "--until 0001-01-01 is before 2015"),
    "more digits than a number may have": (
        f"-{'9' * 5000}d",
        "now",
        f"--since -{'9' * 5000}d: must",
    ),
}


@pytest.mark.parametrize("sentence", TIMES)
def test_a_time_that_cannot_be_is_said(sentence: str) -> None:
    since, until, why = TIMES[sentence]
    with pytest.raises(CommandError, match=re.escape(why)):
        times_of(since, until, FIRST)


@pytest.mark.parametrize("text", ["3651d", "-99999999w", f"{'9' * 5000}d"])
def test_a_time_ago_that_is_longer_than_any_record_is_refused(text: str) -> None:
    with pytest.raises(CommandError, match=f"--from {text}: must be") as refused:
        seconds_ago(text, "--from")
    assert refused.value.code is ExitCode.USAGE
    assert seconds_ago("3650d", "--from") == 3650 * 86_400
