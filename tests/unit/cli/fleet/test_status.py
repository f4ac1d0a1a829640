"""The fleet on one screen, in every form; colors for terminals alone."""

import csv
import io
import json
import re

import pytest
import yaml

from inference_cost.cli.failure import CommandError
from inference_cost.cli.fleet.screen import NONE, Output, to_text
from inference_cost.cli.fleet.summary import fleet_sentence, summary_of
from inference_cost.cli.fleet.watch import CLEAR, watch
from tests.unit.cli.fleet.policies import policy, unseen

FLEET = [
    policy("resnet"),
    policy(
        "bert", slo="Violated", current=2, desired=5, conditions={"SLOMet": ("False", "Violated")}
    ),
    policy("ocr", mode="Enforce", slo="AtRisk", limited_by="MaxReplicas", per_hour=""),
    policy("whisper", annotations={"inferencecost.dev/paused": "true"}),
    policy("rank", conditions={"Ready": ("True", "Paused")}),
    policy("odd", annotations={"inferencecost.dev/paused": "yes"}),
    policy("old", observed=0, conditions={"Conflicted": ("True", "OtherAutoscaler")}),
    unseen("new"),
]
ROWS = [summary_of(one) for one in FLEET]


def test_table() -> None:
    lines = to_text(ROWS, Output.TABLE).splitlines()
    assert [line.split() for line in lines[:4]] == [
        ["NAMESPACE", "NAME", "TARGET", "MODE", "REPLICAS", "DESIRED", "SLO", "COST/H", "LIMITED-BY", "READY"],
        ["team-a", "resnet", "Deployment/resnet", "Recommend", "4", "3", "Met", "3.22", "-", "True"],
        ["team-a", "bert", "Deployment/bert", "Recommend", "2", "5", "Violated", "3.22", "-", "True"],
        ["team-a", "ocr", "Deployment/ocr", "Enforce", "4", "3", "AtRisk", "-", "MaxReplicas", "True"],
    ]  # fmt: skip
    assert sum("(paused)" in line for line in lines) == 3
    assert lines[-1].split() == ["team-a", "new", "Deployment/new", "Recommend", *["-"] * 6]


def test_wide_has_all_of_the_table_and_more() -> None:
    table, wide = (to_text(ROWS, form).splitlines() for form in (Output.TABLE, Output.WIDE))
    assert wide[0].split()[:10] == table[0].split()
    assert wide[1].split()[10:] == ["4", "120.4", "150", "99.4", "Gateway", "2.41", "310.25"]


def test_forms_for_programs_carry_the_same() -> None:
    found = json.loads(to_text(ROWS, Output.JSON))
    assert yaml.safe_load(to_text(ROWS, Output.YAML)) == found
    rows = list(csv.DictReader(io.StringIO(to_text(ROWS, Output.CSV))))
    as_text = [
        {k: str(v).lower() if isinstance(v, bool) else v for k, v in row.items()} for row in found
    ]
    assert rows == as_text
    cells = {cell for row in ROWS for cell in row.to_wide_cells().values()}
    told = {str(value) for row in found for value in row.values()}
    assert {cell.removesuffix(" (paused)") for cell in cells} <= told


def test_the_sentence_adds_up_and_names_what_is_not_known() -> None:
    assert fleet_sentence(ROWS) == (
        "8 policies, 26 replicas (23 wanted), 19.32 USD per hour, 2 without a price; "
        "SLO: 1 Violated, 1 AtRisk, 5 Met, 1 Unknown; 3 paused; 1 conflicted; 2 not looked at yet"
    )
    assert fleet_sentence(ROWS[:1]).startswith(
        "1 policy, 4 replicas (3 wanted), 3.22 USD per hour; SLO"
    )


def test_a_person_sees_the_sentence_and_a_pipe_the_table_alone() -> None:
    assert to_text(ROWS, Output.TABLE, whole=True).startswith("8 policies, ")
    assert to_text(ROWS, Output.TABLE).startswith("NAMESPACE")
    assert to_text([], Output.TABLE, whole=True) == NONE


@pytest.mark.parametrize("output", Output)
def test_colors_are_asked_for_and_mark_the_state_alone(output: Output) -> None:
    plain = to_text(ROWS, output)
    assert "\033" not in plain
    colored = to_text(ROWS, output, color=True)
    assert re.sub(r"\033\[\d+m", "", colored) == plain
    if output in {Output.TABLE, Output.WIDE}:
        assert "\033[31mViolated\033[0m" in colored
        assert "\033[33mAtRisk\033[0m" in colored


def test_a_policy_that_is_named_like_a_state_is_not_colored() -> None:
    row = summary_of(policy("Met", slo="Unknown"))
    assert "\033[3" not in to_text([row], Output.TABLE, color=True)
    row = summary_of(policy("Met"))
    assert to_text([row], Output.TABLE, color=True).count("\033[32m") == 1


def watched(looks: int, *, terminal: bool, capsys: pytest.CaptureFixture[str]) -> str:
    """So many looks, of which the second fails; then Ctrl-C."""
    count = 0

    def look() -> str:
        nonlocal count
        count += 1
        if count == 2:
            raise CommandError("cannot reach the API server")
        return f"look {count}"

    def sleep(_: float) -> None:
        if count == looks:
            raise KeyboardInterrupt

    watch(look, 5.0, terminal=terminal, sleep=sleep)
    return capsys.readouterr().out


def test_a_watch_outlives_a_failed_look(capsys: pytest.CaptureFixture[str]) -> None:
    assert watched(3, terminal=False, capsys=capsys) == (
        "look 1\n\nerror: cannot reach the API server\n\nlook 3\n"
    )


def test_on_a_terminal_a_look_takes_the_place_of_the_last(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert watched(1, terminal=True, capsys=capsys) == f"{CLEAR}look 1\n"
