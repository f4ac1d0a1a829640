"""Names, columns and files of the definitions."""

from pathlib import Path
from typing import Any

import pytest

from inference_cost.api import generate
from inference_cost.api.crds import all_crds

CRDS: dict[str, dict[str, Any]] = {crd["spec"]["names"]["kind"]: crd for crd in all_crds()}


@pytest.mark.parametrize(
    ("kind", "scope", "short_names", "subresources"),
    [
        ("InferenceCostPolicy", "Namespaced", ["icp"], {"status": {}}),
        ("CapacityPool", "Cluster", ["cpool"], {"status": {}}),
        ("InferenceCostCheckpoint", "Namespaced", None, None),
    ],
)
def test_names(
    kind: str, scope: str, short_names: list[str] | None, subresources: dict[str, Any] | None
) -> None:
    spec = CRDS[kind]["spec"]
    assert (spec["group"], spec["scope"]) == ("inferencecost.dev", scope)
    assert spec["names"].get("shortNames") == short_names
    assert spec["names"]["categories"] == ["inference"]
    assert spec["versions"][0].get("subresources") == subresources
    assert CRDS[kind]["metadata"]["name"] == f"{spec['names']['plural']}.inferencecost.dev"


def test_columns_of_a_policy() -> None:
    columns = CRDS["InferenceCostPolicy"]["spec"]["versions"][0]["additionalPrinterColumns"]
    shown = [c["name"] for c in columns if not c.get("priority")]
    assert shown == [
        *("Target", "Mode", "Replicas", "Desired", "SLO", "Cost/h", "Limited-By", "Ready", "Age")
    ]
    assert [c["name"] for c in columns if c.get("priority") == 1] == ["Reason", "Saved", "Message"]


def test_columns_of_a_pool() -> None:
    columns = CRDS["CapacityPool"]["spec"]["versions"][0]["additionalPrinterColumns"]
    assert [c["name"] for c in columns if not c.get("priority")] == [
        *("Nodes", "Pods", "Price/h", "Price-Age", "Losses/h", "Start-P95", "Scarce", "Warm", "Age")
    ]


@pytest.mark.parametrize("kind", CRDS)
def test_a_column_shows_a_field_of_the_schema(kind: str) -> None:
    version = CRDS[kind]["spec"]["versions"][0]
    for column in version["additionalPrinterColumns"]:
        path = column["jsonPath"].removeprefix(".").split(".")
        node = version["schema"]["openAPIV3Schema"]
        for step in path[:-1] if path[0] == "metadata" else path:
            if step.startswith("conditions[?(@"):
                node = node["properties"]["conditions"]["items"]
            elif step.startswith("type=="):
                continue
            else:
                node = node["properties"][step]
        assert column["description"]


def test_generated_files_are_up_to_date() -> None:
    assert generate.main(["--check"]) == 0


def test_generation_is_deterministic() -> None:
    assert generate.generated_files() == generate.generated_files()


@pytest.mark.parametrize(
    ("spoil", "named"),
    {
        "a changed file": (lambda f: f.write_text("x", encoding="utf-8"), True),
        "a missing file": (lambda f: f.unlink(), True),
        "an unchanged file": (lambda _: None, False),
    }.values(),
)
def test_check_names_what_is_stale(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], spoil: Any, named: bool
) -> None:
    assert generate.main(["--root", str(tmp_path)]) == 0
    file = tmp_path / "crds" / "capacitypools.inferencecost.dev.yaml"
    spoil(file)
    assert generate.main(["--check", "--root", str(tmp_path)]) == int(named)
    assert (f"crds/{file.name}" in capsys.readouterr().err) is named


def test_check_names_a_file_of_a_kind_that_is_gone(tmp_path: Path) -> None:
    files = generate.generated_files()
    generate.write_files(tmp_path, files)
    (tmp_path / "crds" / "old.yaml").write_text("x", encoding="utf-8")
    assert generate.stale_files(tmp_path, files) == ("crds/old.yaml",)
