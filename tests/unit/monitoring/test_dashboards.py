"""The dashboards: up to date, known to Grafana's schema, and asking for what is exported."""

import json
import re
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from scripts.dashboards.__main__ import main
from tests.unit.monitoring.known_series import exported, faults

FOLDER = Path("charts/inference-cost-operator/dashboards")
BOARDS: dict[str, dict[str, Any]] = {
    file.stem: json.loads(file.read_text()) for file in sorted(FOLDER.glob("*.json"))
}
PANELS = [
    pytest.param(panel, id=f"{name}: {panel['title']}")
    for name, board in BOARDS.items()
    for panel in board["panels"]
    if panel["type"] != "row"
]
VARIABLES = [
    pytest.param(one, id=f"{name}: {one['name']}")
    for name, board in BOARDS.items()
    for one in board["templating"]["list"]
    if one["type"] == "query"
]


def filled(expression: str) -> str:
    """As Grafana would send it."""
    ours = expression.replace("$__rate_interval", "5m").replace("$__range", "1h")
    return re.sub(r"\$\w+", "x", ours)


def test_they_are_up_to_date() -> None:
    assert main(["--check"]) == 0
    assert set(BOARDS) == {"fleet", "policy", "operator", "chargeback"}


@pytest.mark.parametrize("panel", PANELS)
def test_a_panel_asks_for_what_is_exported(panel: dict[str, Any]) -> None:
    assert panel["targets"]
    for target in panel["targets"]:
        assert faults(filled(target["expr"])) == [], target["expr"]


@pytest.mark.parametrize("panel", PANELS)
def test_a_panel_says_what_it_shows(panel: dict[str, Any]) -> None:
    assert len(panel["description"]) > 8
    assert panel["description"].endswith(".")
    assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
    assert panel["fieldConfig"]["defaults"]["unit"]
    shown = {label for label in exported() for label in exported()[label]} | {"instance"}
    for target in panel["targets"]:
        assert set(re.findall(r"{{(\w+)}}", target.get("legendFormat", ""))) <= shown


@pytest.mark.parametrize("variable", VARIABLES)
def test_a_variable_offers_values_of_a_label_that_exists(variable: dict[str, Any]) -> None:
    query = variable["query"]["query"]
    found = re.fullmatch(r"label_values\((.+), (\w+)\)", query)
    assert found, query
    assert faults(filled(found[1])) == []
    assert found[2] in exported()[found[1].partition("{")[0]]


@pytest.mark.parametrize("name", BOARDS)
def test_grafana_knows_every_field(name: str) -> None:
    """Read by the types that are generated from Grafana's schema, and written again: nothing is lost."""
    assert read_and_written(BOARDS[name]) == BOARDS[name]


@pytest.mark.parametrize(
    "path",
    [
        (),
        ("panels", 1),
        ("panels", 1, "options"),
        ("panels", 1, "targets", 0),
        ("panels", 8, "fieldConfig", "defaults", "custom"),
        ("templating", "list", 1),
    ],
    ids=str,
)
def test_a_field_that_grafana_does_not_know_would_be_found(path: tuple[str | int, ...]) -> None:
    wrong = json.loads(json.dumps(BOARDS["fleet"]))
    place = wrong
    for step in path:
        place = place[step]
    place["colour"] = "red"
    assert read_and_written(wrong) != wrong


def read_and_written(board: dict[str, Any]) -> Any:
    register_default_plugins()
    return json.loads(json.dumps(Dashboard.from_json(board), cls=JSONEncoder))


@pytest.mark.parametrize("name", BOARDS)
def test_panels_have_places_numbers_and_titles_of_their_own(name: str) -> None:
    panels = BOARDS[name]["panels"]
    numbers = [panel["id"] for panel in panels]
    assert len(set(numbers)) == len(numbers)
    titles = [panel["title"] for panel in panels if panel["type"] != "row"]
    assert len(set(titles)) == len(titles)
    for one, other in combinations([panel["gridPos"] for panel in panels], 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        above = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or above
    assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in panels)


@pytest.mark.parametrize("panel", [p for p in PANELS if p.values[0]["type"] == "table"])
def test_a_table_names_the_column_of_every_query(panel: dict[str, Any]) -> None:
    (merge, organize) = panel["transformations"]
    assert merge["id"] == "merge"
    references = [target["refId"] for target in panel["targets"]]
    values = [f"Value #{one}" for one in references] if len(references) > 1 else ["Value"]
    assert list(organize["options"]["renameByName"]) == values
    assert all(target["format"] == "table" and target["instant"] for target in panel["targets"])
    named = {override["matcher"]["options"] for override in panel["fieldConfig"]["overrides"]}
    assert named <= {*organize["options"]["renameByName"].values(), "policy"}


def test_links_lead_to_dashboards_that_exist() -> None:
    text = "".join(file.read_text() for file in FOLDER.glob("*.json"))
    linked = set(re.findall(r"/d/([\w-]+)\?", text))
    assert linked
    assert linked <= {board["uid"] for board in BOARDS.values()}
    for variable in re.findall(r"var-(\w+)=", text):
        assert variable in {one["name"] for one in BOARDS["policy"]["templating"]["list"]}
