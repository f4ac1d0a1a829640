"""The rules in a real promtool: they are read without a complaint, and every alert fires when it should."""

import subprocess
from pathlib import Path

import pytest

from e2e.rig.binaries import ensure

RULES = Path("charts/inference-cost-operator/rules/inference-cost.rules.yaml")
CASES = sorted(Path(__file__).parent.glob("*.test.yaml"))


@pytest.fixture(scope="module")
def promtool() -> Path:
    return ensure("promtool")["promtool"]


def run(promtool: Path, *arguments: str | Path) -> tuple[int, str]:
    done = subprocess.run([promtool, *arguments], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_the_rules_are_read_without_a_complaint(promtool: Path) -> None:
    code, said = run(promtool, "check", "rules", "--lint=all", "--lint-fatal", RULES)
    assert code == 0, said


@pytest.mark.parametrize("cases", CASES, ids=lambda file: file.name.partition(".")[0])
def test_alerts_fire_when_they_should_and_not_else(promtool: Path, cases: Path) -> None:
    code, said = run(promtool, "test", "rules", cases)
    assert code == 0, said


def test_a_rule_that_is_wrong_fails_its_cases(promtool: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "rules.yaml"
    wrong.write_text(
        RULES.read_text().replace("inference_cost_leader) == 0", "inference_cost_leader) == 1")
    )
    cases = (Path(__file__).parent / "operator.test.yaml").read_text()
    moved = tmp_path / "operator.test.yaml"
    moved.write_text(cases.replace(f"../../../{RULES}", wrong.name))
    code, said = run(promtool, "test", "rules", moved)
    assert code == 1
    assert "InferenceCostNoLeader" in said
