"""`chargeback` and `savings --since` as commands: every form says the same, and what the amounts lack."""

import csv
import io
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
import yaml

from inference_cost.account.focus import COLUMNS
from inference_cost.api.group import GROUP, POLICY, VERSION
from tests.unit.cli.report.store import Store, serve
from tests.unit.cli.test_command import kubeconfig, run
from tests.unit.observe.world import Object, policy

BEGIN = 1_772_323_200.0  # 2026-03-01
HOURS = 24
TIMES = ("--since", "2026-03-01T00:00:00Z", "--until", "2026-03-02T00:00:00Z")
LATE = "nothing is recorded from 2026-03-01T00:00:00Z to 2026-03-01T12:00:00Z"


def labelled(name: str, **labels: str) -> Object:
    made = policy(name, namespace="team-a")
    made["metadata"]["labels"] = labels
    return made


POLICIES = f"/apis/{GROUP}/{VERSION}/{POLICY.plural}"
IN_TEAM = f"/apis/{GROUP}/{VERSION}/namespaces/team-a/{POLICY.plural}"
API = {
    POLICIES: [labelled("resnet", team="vision"), labelled("bert")],
    IN_TEAM: [labelled("resnet"), labelled("bert")],
}


def day() -> Store:
    """Two policies at 1.50 and 0.25 an hour, the second one from noon on, and an idle node at 0.10."""
    store = Store()
    line = {"variant": "default", "cost_center": "search", "capacity_type": "spot"}
    for hour in range(-1, HOURS + 1):
        at = BEGIN + hour * 3600
        for name, rate, since in (("resnet", 1.5, -1), ("bert", 0.25, 12)):
            if hour >= since:
                who = {"namespace": "team-a", "policy": name}
                place = {**who, **line, "pool": "l4", "line": "serving"}
                store.add(at, "policy_cost_total", rate * (hour - since), **place, currency="USD")
                store.add(at, "policy_charged_seconds_total", 7200.0 * (hour - since), **place)
                store.add(at, "policy_cost_counted_time_seconds", at, **who, uid=name)
                both = {**who, "baseline": "HPA", "mode": "Enforce"}
                store.add(at, "policy_compared_requests_total", 100.0 * (hour - since), **both)
                store.add(at, "policy_compared_seconds_total", 3600.0 * (hour - since), **both)
                for side, cost in (("policy", rate), ("baseline", 2 * rate)):
                    of = {**both, "side": side}
                    store.add(
                        at,
                        "policy_compared_cost_total",
                        cost * (hour - since),
                        **of,
                        currency="USD",
                    )
                    store.add(at, "policy_compared_late_requests_total", 0.0, **of)
        store.add(
            at,
            "pool_cost_total",
            0.1 * (hour + 1),
            pool="l4",
            capacity_type="spot",
            line="idle",
            currency="USD",
        )
        store.add(at, "pool_cost_counted_time_seconds", at, pool="l4")
    return store


def idle() -> Store:
    """A policy that cost nothing."""
    store = Store()
    labels = {"namespace": "team-z", "policy": "t5", "variant": "default", "cost_center": ""}
    place = {"capacity_type": "spot", "pool": "l4", "line": "serving", "currency": "USD"}
    for hour in range(HOURS + 1):
        store.add(BEGIN + hour * 3600, "policy_cost_total", 0.0, **labels, **place)
    return store


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serve(day(), API) as address:
        yield address


class Command:
    def __init__(
        self, url: str, folder: Path, patched: pytest.MonkeyPatch, read: pytest.CaptureFixture[str]
    ) -> None:
        self._access = ("--prometheus-url", url, "--kubeconfig", kubeconfig(folder, url))
        self._patched = patched
        self._read = read

    def __call__(self, *arguments: str) -> tuple[str, str]:
        """Output and errors."""
        code, out, err = self.ended(*arguments)
        assert code == 0
        return out, err

    def ended(self, *arguments: str) -> tuple[int, str, str]:
        code = run(self._patched, *arguments, *TIMES, *self._access)
        told = self._read.readouterr()
        return code, told.out, told.err


@pytest.fixture
def command(
    url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Command:
    return Command(url, tmp_path, monkeypatch, capsys)


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


def test_forms_of_chargeback_say_the_same(command: Command) -> None:
    (table, err), (wide, _) = (
        command("chargeback", "--by", "policy"),
        command("chargeback", "--by", "policy", "-o", "wide"),
    )
    told = json.loads(command("chargeback", "--by", "policy", "-o", "json")[0])
    assert yaml.safe_load(command("chargeback", "--by", "policy", "-o", "yaml")[0]) == told
    assert told["total"] == "41.40"  # 36.00 + 3.00 + 2.40
    assert table.splitlines()[-2].split() == ["total", "39.00", "2.40", "41.40"]
    assert "87.0%" in wide
    assert err.startswith(f"note: team-a/bert: {LATE}")
    rows = read(command("chargeback", "--by", "policy", "-o", "csv")[0])
    assert [row["total"] for row in rows] == ["36.00", "3.00", "2.40"]
    assert [bool(row["incomplete"]) for row in rows] == [False, True, False]
    assert told["rows"][1]["incomplete"] == told["notes"] == [rows[1]["incomplete"]]


def test_focus_rows_have_hours_and_what_they_lack(command: Command) -> None:
    rows = read(command("chargeback", "-o", "focus")[0])
    assert sum(Decimal(row["BilledCost"]) for row in rows) == Decimal("41.4")
    assert [(row["PricingQuantity"], row["PricingUnit"]) for row in rows] == [
        ("48.000000", "Replica-Hours"),
        ("24.000000", "Replica-Hours"),
        ("24.000000", "Hours"),
    ]
    assert [row["x_Incomplete"].startswith(LATE) for row in rows] == [False, True, False]


def test_rows_by_a_label_and_of_one_namespace(command: Command) -> None:
    rows = read(command("chargeback", "--by", "label:team", "-o", "csv")[0])
    assert [(row["label:team"], row["total"]) for row in rows] == [
        ("vision", "36.00"),
        ("(no label)", "3.00"),
        ("(nobody)", "2.40"),
    ]
    rows = read(command("chargeback", "--by", "namespace", "-n", "team-a", "-o", "csv")[0])
    assert [(row["namespace"], row["total"]) for row in rows] == [("team-a", "39.00")]


def test_forms_of_savings_say_the_same(command: Command) -> None:
    told = json.loads(command("savings", "-n", "team-a", "-o", "json")[0])
    assert yaml.safe_load(command("savings", "-n", "team-a", "-o", "yaml")[0]) == told
    rows = read(command("savings", "-n", "team-a", "-o", "csv")[0])
    for form in (told, rows):
        assert [(one["policy"], one["saved"], one["hours"]) for one in form] == [
            ("team-a/bert", "3.00", "12.00"),
            ("team-a/resnet", "36.00", "24.00"),
        ]
    _, err = command("savings", "-n", "team-a")
    assert [line.partition(", or")[0].partition(": it")[0] for line in err.splitlines()] == [
        "note: team-a/bert: both sides were known for 12.00 of 24.00 h; the rest counts on neither",
        f"note: team-a/bert: {LATE}",
    ]


def test_a_label_is_asked_for_in_the_namespace_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who may list policies in their own namespace alone sees what these cost by label."""
    api = {POLICIES: 403, IN_TEAM: [labelled("resnet", team="vision")]}
    with serve(day(), api) as url:
        command = Command(url, tmp_path, monkeypatch, capsys)
        rows = read(command("chargeback", "--by", "label:team", "-n", "team-a", "-o", "csv")[0])
        assert [(row["label:team"], row["total"]) for row in rows] == [
            ("vision", "36.00"),
            ("(policy gone)", "3.00"),
        ]
        assert command.ended("chargeback", "--by", "label:team")[0] == 1


def test_without_amounts_the_head_of_focus_is_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with serve(idle(), API) as url:
        command = Command(url, tmp_path, monkeypatch, capsys)
        none, _ = command("chargeback", "-o", "focus", "-n", "team-z")
    assert none.strip().split(",") == list(COLUMNS)


NOTHING: dict[str, tuple[tuple[str, ...], str]] = {
    "a namespace of which nothing is recorded": (
        ("chargeback", "-n", "team-z"),
        "error: nothing is recorded of namespace team-z in USD in that time; there is of team-a",
    ),
    "the same as rows of FOCUS": (
        ("chargeback", "-n", "team-z", "-o", "focus"), "error: nothing is recorded of namespace team-z",
    ),
    "another currency": (
        ("chargeback", "--currency", "EUR"), "has no inference_cost_policy_cost_total in EUR in that time",
    ),
    "savings in another currency": (
        ("savings", "-n", "team-a", "--currency", "EUR"),
        "error: nothing was counted in EUR in that time, but in USD; is --currency right?",
    ),
}  # fmt: skip


@pytest.mark.parametrize("sentence", NOTHING)
def test_what_has_nothing_ends_with_the_reason(sentence: str, command: Command) -> None:
    arguments, why = NOTHING[sentence]
    code, out, err = command.ended(*arguments)
    assert (code, out) == (1, "")
    assert why in err
