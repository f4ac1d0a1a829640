"""A report on a fixed week: priced by hand, whole, the same in every form, and honest about what it lacks.

`UPDATE_GOLDEN=1 pytest …` writes the expected output anew; look at the difference before it is committed.
"""

import io
import json
import os
import re
from contextlib import redirect_stderr, redirect_stdout
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from inference_cost.cli.report.document import ReportDocument
from inference_cost.cli.report.page import to_page
from tests.unit.cli.report.store import Store, serve
from tests.unit.cli.report.world import API, END, FIRST, week
from tests.unit.cli.test_command import kubeconfig, run

GOLDEN = Path(__file__).parent / "golden"
WEEK = ("--since", "2025-03-03T00:00:00Z", "--until", "2025-03-10T00:00:00Z")
GIVEN = (
    *("--implementation-cost", "20000", "--running-cost", "500"),
    *("--storage", "120", "--staff", "3000", "--discount-percent", "10"),
)
VOID = {"meta"}


@pytest.fixture(scope="module")
def store() -> Store:
    return week()


def reported(store: Store, folder: Path, *arguments: str) -> tuple[int, str, str]:
    """Exit code, output and errors; addresses and the time of the call made the same every time."""
    out, err = io.StringIO(), io.StringIO()
    with serve(store, API) as url, pytest.MonkeyPatch.context() as patched:
        config = kubeconfig(folder, url)
        with redirect_stdout(out), redirect_stderr(err):
            command = ("report", "--prometheus-url", url, "--kubeconfig", config)
            code = run(patched, *command, *arguments)
    plain = out.getvalue().replace(url, "http://prometheus")
    return code, re.sub(r'(\n  "at": )"20[^"]*"', r'\1"now"', plain), err.getvalue()


@pytest.fixture(scope="module")
def text(store: Store, tmp_path_factory: pytest.TempPathFactory) -> str:
    arguments = ("-A", "-o", "json", *WEEK, *GIVEN)
    code, out, err = reported(store, tmp_path_factory.mktemp("week"), *arguments)
    assert (code, err) == (0, "")
    return out


@pytest.fixture(scope="module")
def document(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text)
    return found


def expect(name: str, text: str) -> None:
    file = GOLDEN / name
    if os.environ.get("UPDATE_GOLDEN"):
        file.write_text(text)
    assert text == file.read_text()


def test_the_week_as_json(text: str) -> None:
    expect("week.json", text)


def test_the_week_priced_by_hand(document: dict[str, Any]) -> None:
    """12 h at 6 and 12 h at 2 replicas; 0.5 h of each day two of them start."""
    resnet = Decimal(7 * (12 * 6 + 12 * 2) * 4)
    bert, old, idle = Decimal(7 * 24 * 10), Decimal(6 * 24), Decimal(7 * 24 * 4)
    totals = document["totals"]
    assert Decimal(totals["cost"]) == resnet + bert + old + idle
    assert Decimal(totals["unused"]) == idle
    lines = {(one["policy"], one["line"]): Decimal(one["amount"]) for one in document["lines"]}
    assert lines == {
        ("resnet", "serving"): resnet - 28,
        ("resnet", "boot"): Decimal(28),
        ("bert", "serving"): bert,
        ("old", "serving"): old,
        ("", "idle"): idle,
    }


def test_savings_by_hand_without_the_silent_hours(document: dict[str, Any]) -> None:
    """162 h of 168 are recorded."""
    policies = {one["name"]: one["savings"][0] for one in document["policies"]}
    assert Decimal(policies["resnet"]["amount"]) == 162 * (28 - 16)
    assert policies["resnet"]["hours"] == 162.0
    assert Decimal(policies["bert"]["amount"]) == 162 * Decimal("2.50")
    assert policies["old"]["amount"] is None
    assert "10.00 % of the requests late" in policies["old"]["whyNot"]
    totals = document["totals"]
    assert (totals["saved"], totals["potential"]) == (
        policies["resnet"]["amount"],
        policies["bert"]["amount"],
    )
    assert totals["notComparable"] == ["legacy/old"]


def test_waste_by_hand(document: dict[str, Any]) -> None:
    found = {(one["waste"], one["where"]): one["amount"] for one in document["waste"]}
    assert found == {
        ("GPUNotComputing", "nlp/bert"): "1008.00",  # 60 % of 1680
        ("GPUNotComputing", "serving/resnet"): "665.00",  # 25 % of 2660
        ("MinReplicas", "nlp/bert"): "420.00",  # 84 h of the night, two of four replicas
        ("NotEnforced", "nlp/bert"): "405.00",
        ("Idle", "pool l4"): "672.00",
        ("ReplicaBoot", "serving/resnet"): "28.00",
        ("Late", "legacy/old"): "14.40",  # a tenth of 144
        ("PriceUnknown", "legacy/old"): None,
    }
    amounts = [Decimal(one["amount"]) for one in document["waste"] if one["amount"] is not None]
    assert amounts == sorted(amounts, reverse=True)
    assert all(one["why"] and one["fix"] for one in document["waste"])


def test_pools_with_the_price_of_now_where_one_is_declared(document: dict[str, Any]) -> None:
    l4, t4 = document["pools"]
    assert (l4["name"], l4["cost"], l4["unused"], l4["perNodeHour"]) == (
        "l4",
        "5040.00",
        "672.00",
        "4.00",
    )
    assert l4["attention"] == ["Scarce=True: No node came in 900 s."]
    assert (t4["name"], t4["cost"], t4["nodes"], t4["perNodeHour"]) == ("t4", "144.00", None, None)


def test_everything_adds_up(document: dict[str, Any]) -> None:
    totals = document["totals"]
    cost = Decimal(totals["cost"])
    assert sum(Decimal(one["amount"]) for one in document["lines"]) == cost
    for breakdown in document["breakdowns"]:
        assert sum(Decimal(row["amount"]) for row in breakdown["rows"]) == cost
    assert sum(Decimal(one["cost"]) for one in document["pools"]) == cost
    for name in ("policies", "unused"):
        assert sum(Decimal(piece[name]) for piece in document["pieces"]) == Decimal(totals[name])
    assert sum(Decimal(one["cost"]) for one in document["policies"]) == Decimal(totals["policies"])


def test_what_is_not_known_is_named(document: dict[str, Any]) -> None:
    gaps = {one["what"]: one["why"] for one in document["gaps"]}
    assert (
        "what it knows to have cost is in the first piece after it"
        in gaps["2025-03-07T00:00:00Z to 2025-03-07T05:00:00Z"]
    )
    assert "how much of their time GPUs computed, of legacy/old" in gaps
    assert "what legacy/old costs now" in gaps
    assert "savings of legacy/old" in gaps
    assert "what the service costs in network, energy, licences" in gaps
    assert all(one["fix"] for one in document["gaps"])
    silent = [piece["begin"] for piece in document["pieces"] if not piece["recorded"]]
    assert silent == [f"2025-03-07T0{hour}:00:00Z" for hour in range(5)]


def test_one_namespace_has_no_part_of_the_pools_own_cost_and_what_may_not_be_read_is_a_gap(
    store: Store, tmp_path: Path
) -> None:
    arguments = ("-n", "nlp", "-o", "json", *WEEK)
    code, text, _ = reported(store, tmp_path, *arguments)
    assert code == 0
    found = json.loads(text)
    assert (found["totals"]["cost"], found["totals"]["unused"]) == ("1680.00", "0.00")
    assert [one["name"] for one in found["policies"]] == ["bert"]
    assert any("you may not read events" in one["why"] for one in found["gaps"])
    assert any("Of one namespace" in one for one in found["assumptions"])


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


def test_what_an_earlier_leader_left_behind_is_not_the_beginning(tmp_path: Path) -> None:
    """b, then a, then b again leads; when the time begins, what a exported last is still looked at."""
    store, hour = Store(), 3600.0
    line = {"pool": "l4", "capacity_type": "spot", "line": "serving", "currency": "USD"}
    of = {"namespace": "nlp", "policy": "bert", "variant": "", "cost_center": ""}
    for minutes in range(0, 300, 5):
        at = FIRST + minutes * 60
        leader = "a" if hour <= at - FIRST < 2 * hour else "b"
        store.add(at, "leader", 1.0, instance=leader)
        store.add(at, "policy_cost_total", minutes / 60 * 10, **of, **line, instance=leader)
    arguments = (
        "-A",
        "-o",
        "json",
        "--since",
        "2025-03-03T03:00:00Z",
        "--until",
        "2025-03-03T04:00:00Z",
    )
    _, text, _ = reported(store, tmp_path, *arguments)
    assert json.loads(text)["totals"]["cost"] == "10.00"


class Page(HTMLParser):
    """Open elements, and each figure with what is shown for it."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.figures: list[tuple[str, str, str]] = []
        self._figure: tuple[str, str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        assert not {"src", "href", "onclick", "onload"} & set(given)
        if tag not in VOID:
            self.open.append(tag)
        if tag == "data":
            self._figure = (given["data-at"] or "", given["value"] or "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._figure is not None:
            self.figures.append((*self._figure, data))
            self._figure = None


def at(document: Any, path: str) -> Any:
    for part in path.split("."):
        document = document[int(part) if part.isdecimal() else part]
    return document


def test_every_number_of_the_page_is_that_of_the_json(document: dict[str, Any]) -> None:
    page = Page()
    page.feed(to_page(ReportDocument.model_validate(document)))
    assert page.open == []
    assert len(page.figures) > 100
    for path, value, shown in page.figures:
        assert str(at(document, path)) == value, path
        number = re.match(r"-?[\d,.]+", shown)
        assert number, shown
        assert Decimal(number[0].replace(",", "")) == pytest.approx(
            Decimal(value), rel=Decimal("1e-5")
        ), path
    shown_at = {path for path, _, _ in page.figures}
    for i, waste in enumerate(document["waste"]):
        assert (f"waste.{i}.amount" in shown_at) == (waste["amount"] is not None)
    assert {f"policies.{i}.cost" for i, _ in enumerate(document["policies"])} <= shown_at


def test_the_page_needs_nothing_and_runs_nothing_of_others(document: dict[str, Any]) -> None:
    text = to_page(ReportDocument.model_validate(document))
    assert not re.search(r"<script|<link|<img|@import|url\(|javascript:", text)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "prefers-color-scheme: dark" in text
    assert "@media print" in text
    assert len(text) < 200_000


BAD_INPUT: dict[str, tuple[tuple[str, ...], str]] = {
    "an end in the future": (("--until", "2999-01-01T00:00:00Z"), "--until 2999-01-01T00:00:00Z is in the future"),
    "a beginning after the end": (("--since", "now"), "--since now must be before --until now"),
    "a time that is none": (("--since", "yesterday"), "--since yesterday: must be now, a time ago such as -7d"),
    "a negative cost": (("--staff", "-5"), "--staff must be an amount of 0 or more, not '-5'"),
    "a cost that is no number": (("--implementation-cost", "much"), "--implementation-cost must be an amount"),
    "a range of one end": (("--traffic-range", "2"), "--traffic-range must be LOW:HIGH, such as 0.7:1.3"),
    "a range upside down": (("--price-range", "2:1"), "--price-range 2:1: the first number must not be more"),
}  # fmt: skip


@pytest.mark.parametrize("sentence", BAD_INPUT)
def test_bad_input_is_told_before_anything_is_asked(sentence: str, tmp_path: Path) -> None:
    arguments, message = BAD_INPUT[sentence]
    code, out, err = reported(Store(), tmp_path, *arguments)
    assert (code, out) == (2, "")
    assert err.startswith(f"error: {message}")
    assert err.count("\n") == 1


def test_a_store_without_the_operator_says_what_to_look_at(tmp_path: Path) -> None:
    code, _, err = reported(Store(), tmp_path, *WEEK)
    assert code == 1
    assert "does it scrape the operator" in err
