"""A report on a fixed week: priced by hand, whole, the same in every form, and honest about what it lacks.

`UPDATE_GOLDEN=1 pytest …` writes the expected output anew; look at the difference before it is committed.
"""

import io
import json
import os
import re
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.unit.cli.report.store import Store, serve
from tests.unit.cli.report.world import API, FIRST, GROUP, POLICIES, week
from tests.unit.cli.test_command import kubeconfig, run

GOLDEN = Path(__file__).parent / "golden"
WEEK = ("--since", "2025-03-03T00:00:00Z", "--until", "2025-03-10T00:00:00Z")
GIVEN = (
    *("--implementation-cost", "20000", "--running-cost", "500"),
    *("--storage", "120", "--staff", "3000", "--discount-percent", "10"),
)


@pytest.fixture(scope="module")
def store() -> Store:
    return week()


def reported(
    store: Store, folder: Path, *arguments: str, api: Mapping[str, Any] = API
) -> tuple[int, str, str]:
    """Exit code, output and errors; addresses and the time of the call made the same every time."""
    out, err = io.StringIO(), io.StringIO()
    with serve(store, api) as url, pytest.MonkeyPatch.context() as patched:
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
    assert totals["notComparable"] == ["legacy/old"]
    measured, potential = totals["measured"], totals["potential"]
    assert (measured["policies"], potential["policies"]) == (["serving/resnet"], ["nlp/bert"])
    assert (measured["saved"], potential["saved"]) == (
        policies["resnet"]["amount"],
        policies["bert"]["amount"],
    )
    assert (measured["cost"], measured["baselineCost"]) == ("2592.00", "4536.00")
    assert (measured["inTimePercent"], measured["baselineInTimePercent"]) == (99.8, 99.6)
    for state in ("measured", "potential"):
        for side in ("cost", "baselineCost"):
            known = [piece[state][side] for piece in document["pieces"] if piece[state]]
            assert sum(map(Decimal, known)) == Decimal(totals[state][side])


def test_returns_by_hand_of_each_kind_of_saving_alone(document: dict[str, Any]) -> None:
    """20,000 at once and 500 a month, against 12 and against 2.50 an hour."""
    returns = document["returns"]
    for state, per_hour in (("measured", Decimal(12)), ("potential", Decimal("2.50"))):
        expected = returns[state]["cases"][1]
        assert Decimal(expected["savedPerMonth"]) == per_hour * 730
        months = Decimal(20_000) / (per_hour * 730 - 500)
        assert expected["paybackMonths"] == pytest.approx(float(months), abs=0.05)
    owned = document["ownership"]
    assert owned["nodesPerMonth"] == "22525.71"  # 5184 in 168 h
    assert owned["perMonth"] == f"{Decimal('22525.71') + 120 + 3000 + 500}"


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


def test_a_thousand_requests_cost_what_they_do_in_the_hours_recorded(
    document: dict[str, Any],
) -> None:
    """resnet: 2688 in 168 h for 100 requests/s; five silent hours do not make them dearer."""
    (resnet,) = (one for one in document["policies"] if one["name"] == "resnet")
    assert float(resnet["perThousandRequests"]) == pytest.approx(2688 / 168 / 360, rel=1e-4)


def test_a_mean_queue_time_is_no_share_of_the_requests(store: Store, tmp_path: Path) -> None:
    queue = json.loads(json.dumps(POLICIES))
    queue[1]["spec"]["slo"] = {"queueTime": {"meanMilliseconds": 5}}
    api = API | {f"{GROUP}/inferencecostpolicies": queue}
    _, text, _ = reported(store, tmp_path, "-A", "-o", "json", *WEEK, api=api)
    found = json.loads(text)
    (bert,) = (one for one in found["policies"] if one["name"] == "bert")
    assert (bert["objective"], bert["inTimePercent"]) == ("queue of 5 ms on average", None)
    assert bert["inTimeSource"] == "its objective is no share of the requests"
    # Of the two others alone, by their load.
    assert found["totals"]["inTimePercent"] == pytest.approx((100 * 99.8 + 10 * 90) / 110, abs=1e-3)


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
    assert "what the operator and its policies cost to bring in and to run" not in gaps
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


BAD_INPUT: dict[str, tuple[tuple[str, ...], str]] = {
    "an end in the future": (("--until", "2999-01-01T00:00:00Z"), "--until 2999-01-01T00:00:00Z is in the future"),
    "a beginning after the end": (("--since", "now"), "--since now must be before --until now"),
    "a time that is none": (("--since", "yesterday"), "--since yesterday: must be now, a time ago such as -7d"),
    "a negative cost": (("--staff", "-5"), "--staff must be an amount of 0 or more, not '-5'"),
    "a cost that is no number": (("--implementation-cost", "much"), "--implementation-cost must be an amount"),
    "a range of one end": (("--traffic-range", "2"), "--traffic-range must be LOW:HIGH, such as 0.7:1.3"),
    "energy told twice": (("--energy", "5", "--watts", "900"), "--energy and --watts are two ways to tell the same"),
    "watts without a price": (("--watts", "900"), "--watts needs the --price-per-kilowatt-hour"),
    "a building that makes energy": (
        ("--watts", "9", "--price-per-kilowatt-hour", "0.2", "--usage-effectiveness", "0.5"),
        "--usage-effectiveness must be at least 1, not 0.5",
    ),
    "a range upside down": (("--price-range", "2:1"), "--price-range 2:1: the first number must not be more"),
}  # fmt: skip


@pytest.mark.parametrize("sentence", BAD_INPUT)
def test_bad_input_is_told_before_anything_is_asked(sentence: str, tmp_path: Path) -> None:
    arguments, message = BAD_INPUT[sentence]
    code, out, err = reported(Store(), tmp_path, *arguments)
    assert (code, out) == (2, "")
    assert err.startswith(f"error: {message}")
    assert err.count("\n") == 1


def test_without_a_prometheus_it_says_how_to_name_one(tmp_path: Path) -> None:
    code, out, err = reported(Store(), tmp_path, "--prometheus-url", "http://127.0.0.1:9", *WEEK)
    assert (code, out) == (1, "")
    assert err.endswith("give the --prometheus-url of a Prometheus that answers\n")


def test_a_store_without_the_operator_says_what_to_look_at(tmp_path: Path) -> None:
    code, _, err = reported(Store(), tmp_path, *WEEK)
    assert code == 1
    assert "does it scrape the operator" in err
