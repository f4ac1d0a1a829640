"""Arithmetic on the accounts' counters in a real promtool: over changes of leaders nothing is reset or doubled."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.dashboards import fleet
from scripts.dashboards.chargeback import PAYERS
from tests.integration.rules.test_promtool import RULES, promtool, run
from tests.unit.account.worlds import NOON
from tests.unit.control import leaders
from tests.unit.control.test_totals_over_failover import AND_BACK, EARLY, by_the_ledger

__all__ = ["promtool"]

POLICY = 'namespace="a",policy="p"'
COMPARED = f'{POLICY},baseline="HPA",mode="Enforce"'
LINE = f'{POLICY},cost_center="search",line="serving",currency="USD"'
# Minute by minute: one a minute, counted by one process for half an hour, then by another, and by the first again.
SERIES = {
    f'inference_cost_policy_cost_total{{{LINE},pod="one"}}': "0+1x29 _x15 45+1x15",
    f'inference_cost_policy_cost_total{{{LINE},pod="two"}}': "_x30 30+1x14 _x16",
    f'inference_cost_policy_compared_cost_total{{{COMPARED},side="baseline",currency="USD"}}': "0+2x60",
    f'inference_cost_policy_compared_cost_total{{{COMPARED},side="policy",currency="USD"}}': "0+1x60",
    f"inference_cost_policy_compared_requests_total{{{COMPARED}}}": "0+1000x60",
    f'inference_cost_policy_compared_late_requests_total{{{COMPARED},side="policy"}}': "0+5x60",
    f'inference_cost_policy_compared_late_requests_total{{{COMPARED},side="baseline"}}': "0+9x60",
    f"inference_cost_policy_slo_target_ratio{{{POLICY}}}": "0.99x60",
}
CENTERS = next(payer for payer in PAYERS if payer.labels == "cost_center")
SAVED = f"({fleet.saved()}) and {fleet.in_time('policy')} and {fleet.in_time('baseline')}"
SAVED_LABELS = f'{{{COMPARED}, currency="USD"}}'
CENTER_LABELS = '{cost_center="search", currency="USD"}'
EXPECTED: dict[str, tuple[str, str, float | None]] = {
    "what the documentation asks": (
        "sum by (cost_center, currency) (increase(inference_cost:policy_cost_total[61m]))",
        CENTER_LABELS,
        60,
    ),
    "what the dashboard shows by cost center": (CENTERS.paid(CENTERS.kept), CENTER_LABELS, 60),
    "and per hour": (CENTERS.now, CENTER_LABELS, 60),
    "what was saved": (SAVED, SAVED_LABELS, 60),
}


def asked(
    promtool: Path, folder: Path, series: Mapping[str, str], interval: str, *tests: Any
) -> tuple[int, str]:
    """With the chart's rules."""
    case = {
        "interval": interval,
        "input_series": [{"series": one, "values": values} for one, values in series.items()],
        "promql_expr_test": list(tests),
    }
    told = {"rule_files": [str(RULES.resolve())], "evaluation_interval": interval, "tests": [case]}
    file = folder / "accounts.yaml"
    file.write_text(yaml.safe_dump(told))
    return run(promtool, "test", "rules", file)


@pytest.mark.parametrize("sentence", EXPECTED)
def test_an_hour_of_leaders_in_turn(sentence: str, promtool: Path, tmp_path: Path) -> None:
    expression, labels, value = EXPECTED[sentence]
    samples = [] if value is None else [{"labels": labels, "value": value}]
    filled = expression.replace("$__range", "2h").replace("$namespace", ".*")
    expected = {"expr": filled, "eval_time": "60m", "exp_samples": samples}
    code, said = asked(promtool, tmp_path, SERIES, "1m", expected)
    assert code == 0, said


# Of 1,000 requests per minute 5 are late on the policy's side. Objective, late on the baseline's side, requests, saved.
KEPT: dict[str, tuple[float, int, int, float | None]] = {
    "as many late as the objective lets be": (0.99, 9, 1000, 60),
    "a side that missed the objective leaves no amount": (0.995, 9, 1000, None),
    "of an objective on the mean queue time one in a hundred": (1, 9, 1000, 60),
    "and not two": (1, 20, 1000, None),
}


@pytest.mark.parametrize("sentence", KEPT)
def test_what_was_saved_is_shown_where_both_sides_were_in_time(
    sentence: str, promtool: Path, tmp_path: Path
) -> None:
    target, late, requests, saved = KEPT[sentence]
    series = {
        **SERIES,
        f"inference_cost_policy_slo_target_ratio{{{POLICY}}}": f"{target}x60",
        f"inference_cost_policy_compared_requests_total{{{COMPARED}}}": f"0+{requests}x60",
        f'inference_cost_policy_compared_late_requests_total{{{COMPARED},side="baseline"}}': (
            f"0+{late}x60"
        ),
    }
    samples = [] if saved is None else [{"labels": SAVED_LABELS, "value": saved}]
    filled = SAVED.replace("$__range", "2h").replace("$namespace", ".*")
    code, said = asked(
        promtool,
        tmp_path,
        series,
        "1m",
        {"expr": filled, "eval_time": "60m", "exp_samples": samples},
    )
    assert code == 0, said


def test_an_hour_without_a_request_is_no_hour_in_which_the_objective_was_missed(
    promtool: Path, tmp_path: Path
) -> None:
    series = {name: "0x60" if "requests" in name else values for name, values in SERIES.items()}
    filled = SAVED.replace("$__range", "2h").replace("$namespace", ".*")
    samples = [{"labels": SAVED_LABELS, "value": 60}]
    code, said = asked(
        promtool,
        tmp_path,
        series,
        "1m",
        {"expr": filled, "eval_time": "60m", "exp_samples": samples},
    )
    assert code == 0, said


STEP = 5.0
STEPS = round(3600 / STEP)


def as_promtool_has_it(samples: Sequence[tuple[float, float]]) -> str:
    """On a grid of five seconds; `_` where nothing was scraped."""
    by_step = {round((at - NOON) / STEP): value for at, value in samples}
    return " ".join(repr(by_step[i]) if i in by_step else "_" for i in range(STEPS + 1))


@pytest.mark.parametrize("name", ["policy_cost", "pool_cost"])
def test_what_operators_in_turn_export_grows_by_what_the_ledger_says(
    name: str, promtool: Path, tmp_path: Path
) -> None:
    """The operator's own code counts and is scraped; A leads, then B, then A again."""
    series, _ = leaders.run(*AND_BACK)
    told: dict[str, str] = {}
    for (instance, labels), samples in series.items():
        full = dict(labels)
        if full.pop("__name__") == f"inference_cost_{name}_total":
            listed = ",".join(f'{k}="{v}"' for k, v in {**full, "instance": instance}.items())
            told[f"inference_cost_{name}_total{{{listed}}}"] = as_promtool_has_it(samples)
    expected = float(by_the_ledger()[0 if name == "policy_cost" else 1])
    # Nobody looks at idle rests for 20 s and a tick, twice.
    missed = 0.0 if name == "policy_cost" else 2 * 35 * 3 * 1.80 / 3600
    grown = f"sum(increase(inference_cost:{name}_total[2h]))"
    within = (
        f"{grown} > bool {expected - missed - EARLY - 1e-6} and {grown} < {expected + EARLY + 1e-6}"
    )
    test = {
        "expr": within,
        "eval_time": "1h",
        "exp_samples": [{"labels": "{}", "value": 1}],
    }
    code, said = asked(promtool, tmp_path, told, "5s", test)
    assert code == 0, said
