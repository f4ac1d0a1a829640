"""Arithmetic on the accounts' counters in a real promtool: over a change of leaders nothing is reset or doubled."""

from pathlib import Path

import pytest
import yaml

from scripts.dashboards import fleet
from scripts.dashboards.chargeback import PAYERS
from tests.integration.rules.test_promtool import promtool, run

__all__ = ["promtool"]

POLICY = 'namespace="a",policy="p"'
COMPARED = f'{POLICY},baseline="HPA",mode="Enforce"'
LINE = f'{POLICY},cost_center="search",line="serving",currency="USD"'
# Minute by minute: one a minute, counted by one process for half an hour and then by another.
SERIES = {
    f'inference_cost_policy_cost_total{{{LINE},pod="one"}}': "0+1x29 _x31",
    f'inference_cost_policy_cost_total{{{LINE},pod="two"}}': "_x30 30+1x30",
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
        "sum by (cost_center, currency) (increase(inference_cost_policy_cost_total[61m]))",
        CENTER_LABELS,
        60,
    ),
    "what the dashboard shows by cost center": (CENTERS.paid(CENTERS.kept), CENTER_LABELS, 60),
    "a rule without the labels of the process": (
        "max by (cost_center, currency) (inference_cost_policy_cost_total)",
        CENTER_LABELS,
        60,
    ),
    "what was saved": (SAVED, SAVED_LABELS, 60),
    "a side that missed the objective leaves no amount": (
        SAVED.replace("1 - sum", "0.005 * sum"),
        SAVED_LABELS,
        None,
    ),
}


@pytest.mark.parametrize("sentence", EXPECTED)
def test_an_hour_of_two_leaders(sentence: str, promtool: Path, tmp_path: Path) -> None:
    expression, labels, value = EXPECTED[sentence]
    samples = [] if value is None else [{"labels": labels, "value": value}]
    asked = expression.replace("$__range", "2h").replace("$namespace", ".*")
    case = {
        "interval": "1m",
        "input_series": [{"series": one, "values": values} for one, values in SERIES.items()],
        "promql_expr_test": [{"expr": asked, "eval_time": "60m", "exp_samples": samples}],
    }
    file = tmp_path / "accounts.yaml"
    file.write_text(yaml.safe_dump({"tests": [case]}))
    code, said = run(promtool, "test", "rules", file)
    assert code == 0, said
