"""What a run prints: the same bytes for the same run, in four forms, and nothing half-written."""

import csv
import hashlib
import json
import os
import re
import signal
import threading
import time
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from inference_cost.cli.backtest.result_model import Document, FleetDocument
from inference_cost.simulate.outcome import Comparison
from inference_cost.simulate.scenario import Scenario
from tests.unit.cli.backtest.runs import (
    ON_DEMAND,
    PROFILE,
    SPOT,
    arrivals_file,
    fake_compare,
    objects_file,
    policy,
    run,
    without_simulator,
)

AGAINST = ("--against", "hpa,keda,static99")
FORMS = ("json", "csv", "html", "table")


def backtest(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    *arguments: str,
) -> str:
    """The output of a run on one policy."""
    without_simulator(monkeypatch)
    given = ("-f", objects_file(tmp_path), "--arrivals", arrivals_file(tmp_path))
    assert run(monkeypatch, *given, "--profile", PROFILE, *arguments) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    return printed.out


def document(*given: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(backtest(*given, "-o", "json"))
    return found


def test_json_has_the_documented_fields(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    found = document(monkeypatch, capsys, tmp_path, *AGAINST, "--bound", "--tuned", "--seed", "7")
    Document.model_validate(found)
    ours = found["policies"][0]
    assert list(ours)[:12] == [
        "name",
        "kind",
        "knob",
        "costDollars",
        "replicaHours",
        "attainmentPercent",
        "worstDayPercent",
        "worstHourPercent",
        "requests",
        "late",
        "dropped",
        "starts",
    ]
    assert {"scaleEvents", "ratioToBound"} < set(ours)
    assert set(ours["replicaHours"]) == {"onDemand", "spot", "warm"}
    assert re.fullmatch(r"\d+\.\d{4}", ours["costDollars"])
    assert ours["ratioToBound"] == pytest.approx(2)
    assert found["seed"] == 7
    assert found["bound"]["attainmentPercent"] == 99
    assert [p["name"] for p in found["policies"]] == [
        "resnet",
        *["hpa", "hpa", "keda", "keda", "static99"],
    ]
    assert list(found)[-1] == "timings"
    assert found["timings"]["runs"][0]["decideMillisecondsMedian"] == 0.5


def test_all_inputs_are_told_without_the_folders_of_this_machine(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    text = backtest(monkeypatch, capsys, tmp_path, *AGAINST, "-o", "json", "--mean-replicas", "8")
    found = json.loads(text)
    assert str(tmp_path) not in text
    inputs = found["inputs"]
    files = {file["role"]: file for file in inputs["files"]}
    traffic = (tmp_path / "traffic.csv").read_bytes()
    assert files["arrivals"] == {
        "role": "arrivals",
        "name": "traffic.csv",
        "sha256": hashlib.sha256(traffic).hexdigest(),
    }
    assert files["objects"]["name"] == "objects.yaml"
    assert inputs["price"] == {
        "perReplicaHour": "0.5000",
        "source": "CapacityPool/t4",
        "origin": "spec.offerings, g4dn.xlarge",
    }
    assert inputs["parameters"]["startSeconds"] == 180
    assert inputs["parameters"]["against"] == ["hpa", "keda", "static99"]
    assert inputs["profile"]["maxBatch"] == 16
    assert inputs["objective"] == {"thresholdMilliseconds": 100.0, "targetPercent": 99.0}
    # 8 replicas of 100 requests/s each carry 12.45 requests/s, all slower by one factor.
    assert inputs["stretch"] == pytest.approx(100 * 8 / (found["traffic"]["meanRate"]), rel=1e-4)
    assert inputs["versions"]["inference-cost-operator"]


@pytest.mark.parametrize("form", FORMS)
def test_the_same_run_gives_the_same_bytes(
    form: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    arguments = (*AGAINST, "--bound", "--no-timings", "-o", form)
    first = backtest(monkeypatch, capsys, tmp_path, *arguments)
    assert first == backtest(monkeypatch, capsys, tmp_path, *arguments)
    assert "timings" not in first


def test_timings_are_in_the_json_unless_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert "timings" in document(monkeypatch, capsys, tmp_path)
    assert "timings" not in document(monkeypatch, capsys, tmp_path, "--no-timings")


def test_without_bound_and_baselines(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    found = document(monkeypatch, capsys, tmp_path, "--against", "none")
    assert found["bound"] is None
    assert [one["ratioToBound"] for one in found["policies"]] == [None]
    for form in ("html", "csv", "table"):
        assert "resnet" in backtest(monkeypatch, capsys, tmp_path, "--against", "none", "-o", form)


def test_table_says_it_first_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    lines = backtest(monkeypatch, capsys, tmp_path, *AGAINST, "--bound").splitlines()
    assert lines[0] == (
        "Over 56.7 minutes resnet would have cost $2.24 and answered 99.92 % in time (the objective is 99 "
        "%); HPA at its default would miss the objective (97.10 % in time); KEDA at its default would "
        "have cost 50 % more, with 99.97 % in time; the cheapest possible, knowing the future, is $1.12, 50 "
        "% less."
    )
    assert lines[1] == (
        "Objective: 99 % within 100 ms. A replica costs $0.5000 per hour (CapacityPool/t4). Arrivals: counts "
        "per 10 s."
    )
    assert lines[3].split("  ")[0] == "NAME"
    assert lines[5].startswith("hpa       default: x")
    assert "97.10 % !" in lines[5]
    assert "! misses the objective" in lines
    assert "hpa: a note" in lines


def test_csv_has_the_rows_of_the_table(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    text = backtest(monkeypatch, capsys, tmp_path, *AGAINST, "--bound", "-o", "csv")
    rows = list(csv.DictReader(text.splitlines()))
    assert [row["name"] for row in rows] == ["resnet", "hpa", "keda", "static99", "bound"]
    assert {row["policy"] for row in rows} == {"team-a/resnet"}
    assert rows[1]["meets_objective"] == "false"
    assert float(rows[0]["ratio_to_bound"]) == pytest.approx(2)
    assert rows[0]["ratio_bound"] == "bound"


class _Page(HTMLParser):
    """Tags that are open, and whatever would be loaded from elsewhere."""

    VOID = ("meta", "input", "link", "img", "br", "hr")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loads: list[str] = []
        self.labels: list[str] = []

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        self.loads += [f"{tag} {key}" for key, _ in attrs if key in {"src", "href", "xlink:href"}]
        self.labels += [value or "" for key, value in attrs if key == "aria-label"]
        if tag in {"script", "link", "iframe"}:
            self.loads.append(tag)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        pass


def test_page_is_whole_and_loads_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    text = backtest(monkeypatch, capsys, tmp_path, *AGAINST, "--bound", "--tuned", "-o", "html")
    page = _Page()
    page.feed(text)
    assert page.open == []
    assert page.loads == []
    assert "url(" not in text
    assert "http" not in text.replace("http://www.w3.org", "")
    assert len([label for label in page.labels if label]) == 4
    assert "cheapest possible: $1.12, 99.00 % in time" in page.labels[0]
    assert (
        '<fieldset class="choices"><legend>Compare with</legend><label><input type="radio"' in text
    )
    assert '<td class="missed">97.10 % !</td>' in text
    assert "<li>!: misses the objective</li>" in text
    assert "Over 56.7 minutes resnet would have cost $2.24" in text
    assert "cheapest possible" in text
    assert "prefers-color-scheme: dark" in text


def test_a_name_cannot_break_the_page(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    odd = tmp_path / "a<b>&.csv"
    Path(arrivals_file(tmp_path)).rename(odd)
    without_simulator(monkeypatch)
    arguments = ("-f", objects_file(tmp_path), "--arrivals", str(odd), "--profile", PROFILE)
    assert run(monkeypatch, *arguments, "-o", "html") == 0
    assert "a&lt;b&gt;&amp;.csv" in capsys.readouterr().out


def test_a_missed_objective_is_told_and_is_no_failure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    strict = objects_file(tmp_path, policy().replace('"99.0"', '"99.95"'), ON_DEMAND)
    without_simulator(monkeypatch)
    arguments = ("-f", strict, "--arrivals", arrivals_file(tmp_path), "--profile", PROFILE)
    assert run(monkeypatch, *arguments) == 0
    assert "(short of the objective of 99.95 %)" in capsys.readouterr().out


def test_the_price_is_assumed_without_a_pool(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    without_simulator(monkeypatch)
    prices = []
    for documents in ((policy(),), (policy(), SPOT), (policy(), ON_DEMAND)):
        arguments = (
            "-f",
            objects_file(tmp_path, *documents),
            "--arrivals",
            arrivals_file(tmp_path),
        )
        more = ("--profile", PROFILE, "--price-per-replica-hour", "2.5", "-o", "json")
        assert run(monkeypatch, *arguments, *more) == 0
        price = json.loads(capsys.readouterr().out)["inputs"]["price"]
        prices.append((price["source"], price["perReplicaHour"]))
    assert prices == [
        ("assumed", "2.5000"),
        ("assumed", "2.5000"),
        ("CapacityPool/t4", "0.5000"),
    ]


def test_output_file_takes_its_place_at_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "out" / "result.json"
    file.parent.mkdir()
    assert backtest(monkeypatch, capsys, tmp_path, "-o", "json", "-O", str(file)) == ""
    Document.model_validate_json(file.read_text())
    assert [one.name for one in file.parent.iterdir()] == ["result.json"]
    assert file.stat().st_mode & 0o777 == 0o666 & ~_mask()


def _mask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_ctrl_c_leaves_what_was_there_and_says_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def interrupted(*_: Any, **__: Any) -> Comparison:
        threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
        time.sleep(20)
        raise AssertionError("no interrupt came")

    without_simulator(monkeypatch, interrupted)
    file = tmp_path / "out" / "result.html"
    file.parent.mkdir()
    file.write_text("before")
    arguments = ("-f", objects_file(tmp_path), "--arrivals", arrivals_file(tmp_path))
    code = run(monkeypatch, *arguments, "--profile", PROFILE, "-o", "html", "-O", str(file))
    assert code == 130
    printed = capsys.readouterr()
    assert printed.err == "error: interrupted; nothing was written\n"
    assert [one.read_text() for one in file.parent.iterdir()] == ["before"]


def test_what_the_simulator_refuses_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def refuse(*_: Any, **__: Any) -> Comparison:
        raise ValueError("--seed: too unlucky")

    without_simulator(monkeypatch, refuse)
    arguments = ("-f", objects_file(tmp_path), "--arrivals", arrivals_file(tmp_path))
    assert run(monkeypatch, *arguments, "--profile", PROFILE) == 1
    assert capsys.readouterr().err == "error: --seed: too unlucky\n"


def test_what_reaches_the_simulator(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    seen: list[tuple[Scenario, dict[str, Any]]] = []

    def compare(scenario: Scenario, **options: Any) -> Comparison:
        seen.append((scenario, options))
        return fake_compare(scenario, **options)

    zones = tmp_path / "zones.csv"
    zones.write_text("t_s,z-b,z-a\n-60,0,1\n0,1,1\n600,0,1\n")
    starts = tmp_path / "loads.csv"
    starts.write_text("t_s,load_ms\n0,20000\n5,90000\n")
    without_simulator(monkeypatch, compare)
    arguments = (
        "-f", objects_file(tmp_path, policy(), ON_DEMAND, SPOT), "--arrivals", arrivals_file(tmp_path),
        "--profile", f"{PROFILE},queueDelayMicroseconds=500,instances=2,queuePolicy=true",
        "--start-file", str(starts), "--spot-availability", str(zones), "--notice-seconds", "30",
        "--metric-lag-seconds", "60", "--scrape-seconds", "30", "--missing-percent", "5",
        "--routing", "sticky", "--fidelity", "request", "--against", "hpa,spothedge", "--against", "keda",
        "--tuned", "--bound", "--jobs", "2", "--seed", "3", "--exclude-first-seconds", "0",
    )  # fmt: skip
    assert run(monkeypatch, *arguments, "-o", "json") == 0
    printed = capsys.readouterr().out
    ((scenario, options),) = seen
    assert options.pop("progress")
    assert options == {
        "against": ("hpa", "spothedge", "keda"),
        "tuned": True,
        "bound": True,
        "jobs": 2,
    }
    assert scenario.policy.mode == "Enforce"
    assert (scenario.service.fixed_seconds, scenario.service.per_item_seconds) == (0.0016, 0.0038)
    assert (scenario.service.queue_delay_seconds, scenario.service.instances) == (0.0005, 2)
    assert scenario.service.queue_policy
    assert scenario.start_samples == (20.0, 90.0)
    assert (scenario.metric_lag_seconds, scenario.scrape_seconds) == (60, 30)
    assert scenario.tick_seconds == 30
    assert scenario.missing_fraction == 0.05
    parameters = json.loads(printed)["inputs"]["parameters"]
    assert (parameters["startSeconds"], parameters["noticeSeconds"]) == (None, 30)
    assert (scenario.routing, scenario.fidelity) == ("sticky", "request")
    assert scenario.exclude_first_seconds == 0
    assert scenario.spot is not None
    assert scenario.spot.zones == ("z-b", "z-a")
    assert [str(price) for price in scenario.spot.price_per_hour] == ["0.10", "0.20"]
    assert scenario.spot.times_seconds.tolist() == [0, 600]
    assert scenario.spot.available.tolist() == [[True, True], [False, True]]
    assert scenario.spot.notice_seconds == 30


def test_routing_is_the_policys_own_unless_given(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    without_simulator(monkeypatch)
    objects = objects_file(tmp_path, policy() + "  routing: LeastRequest\n")
    arguments = ("-f", objects, "--arrivals", arrivals_file(tmp_path), "--profile", PROFILE)
    found = []
    for more in ((), ("--routing", "random")):
        assert run(monkeypatch, *arguments, "-o", "json", *more) == 0
        found.append(json.loads(capsys.readouterr().out)["inputs"]["routing"])
    assert found == ["least-request", "random"]


FLEET = "policy,t_s,count\n" + "".join(
    f"{name},{10 * i},{count + i % 9}\n"
    for name, count in (("resnet", 50), ("bert", 10))
    for i in range(200)
)


@pytest.mark.parametrize("form", FORMS)
def test_a_fleet(
    form: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    without_simulator(monkeypatch)
    arrivals = tmp_path / "fleet.csv"
    arrivals.write_text(FLEET)
    objects = objects_file(tmp_path, policy(), policy("bert"), ON_DEMAND)
    arguments = ("-f", objects, "--arrivals", str(arrivals), "--profile", PROFILE, "--jobs", "1")
    assert run(monkeypatch, *arguments, *AGAINST, "--bound", "-o", form) == 0
    text = capsys.readouterr().out
    assert "this fleet of 2" in text or form == "csv"
    assert "team-a/resnet" in text
    assert {"csv": "(all),static99,", "html": "Best constant in hindsight"}.get(
        form, "static99"
    ) in text
    if form == "json":
        _check_fleet(FleetDocument.model_validate_json(text))


def _check_fleet(found: FleetDocument) -> None:
    totals = [(run.name, run.knob) for run in found.totals.policies]
    assert totals == [("ours", ""), ("hpa", "default"), ("keda", "default"), ("static99", "")]
    assert found.results[0].policies[3].knob != found.results[1].policies[3].knob
    assert [result.policy for result in found.results] == ["team-a/resnet", "team-a/bert"]
    ours = [result.policies[0] for result in found.results]
    total = found.totals.policies[0]
    assert (total.name, total.kind) == ("ours", "ours")
    assert float(total.cost_dollars) == pytest.approx(
        sum(float(one.cost_dollars) for one in ours), abs=1e-3
    )
    assert total.requests == pytest.approx(sum(one.requests for one in ours))
    assert total.starts == 6
    assert found.totals.policies[1].notes == ("2 of 2 policies miss their objective",)
    assert found.totals.bound is not None
    assert total.ratio_to_bound == pytest.approx(2, rel=1e-3)


def test_the_list_that_kubectl_prints(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    without_simulator(monkeypatch)
    indented = policy().replace("\n", "\n  ")
    listed = f"apiVersion: v1\nkind: List\nitems:\n- {indented}\n"
    arguments = ("-f", objects_file(tmp_path, listed), "--arrivals", arrivals_file(tmp_path))
    assert run(monkeypatch, *arguments, "--profile", PROFILE, "-o", "json") == 0
    assert json.loads(capsys.readouterr().out)["policy"] == "team-a/resnet"
