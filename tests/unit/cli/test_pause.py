"""`pause` and `resume`: two annotations, and what holds from then on."""

from pathlib import Path
from typing import Any

import pytest

from tests.unit.cli.api import Api, api_server
from tests.unit.cli.fleet.policies import policy
from tests.unit.cli.test_command import kubeconfig, run

PAUSED, REPLICAS = "inferencecost.dev/paused", "inferencecost.dev/paused-replicas"
POLICY = "/apis/inferencecost.dev/v1alpha1/namespaces/team-a/inferencecostpolicies/resnet"

AROUND = "but namespace team-a is paused: kubectl inference-cost resume --whole-namespace -n team-a"


def namespace(**annotations: str) -> dict[str, Any]:
    return {"kind": "Namespace", "metadata": {"name": "team-a", "annotations": annotations}}


def paused(replicas: str = "") -> dict[str, str]:
    return {PAUSED: "true"} | ({REPLICAS: replicas} if replicas else {})


CALLS: dict[str, tuple[Api, tuple[str, ...], str, dict[str, str]]] = {
    "as it is": (
        Api([policy("resnet")]), ("pause", "resnet"),
        "team-a/resnet: paused, replicas stay as they are\n", paused(),
    ),
    "at a number": (
        Api([policy("resnet")]), ("pause", "resnet", "--replicas", "0"),
        "team-a/resnet: paused, held at 0 replicas\n", paused("0"),
    ),
    "from a number to as it is": (
        Api([policy("resnet", annotations=paused("3"))]), ("pause", "resnet"),
        "team-a/resnet: paused, replicas stay as they are\n", paused(),
    ),
    "resumed": (
        Api([policy("resnet", annotations=paused("3")), namespace()]), ("resume", "resnet"),
        "team-a/resnet: scaled again from the next look on\n", {},
    ),
    "resumed without a pause": (
        Api([policy("resnet"), namespace()]), ("resume", "resnet"),
        "team-a/resnet: scaled again from the next look on\n", {},
    ),
    "resumed within a namespace that is paused": (
        Api([policy("resnet", annotations=paused()), namespace(**{PAUSED: "true"})]), ("resume", "resnet"),
        f"team-a/resnet: scaled again from the next look on; {AROUND}\n", {},
    ),
    "resumed where namespaces may not be read": (
        Api([policy("resnet", annotations=paused())], forbidden=frozenset({"namespaces"})), ("resume", "resnet"),
        "team-a/resnet: scaled again from the next look on\n", {},
    ),
    "other annotations stay": (
        Api([policy("resnet", annotations={"team": "a"})]), ("pause", "resnet"),
        "team-a/resnet: paused, replicas stay as they are\n", {"team": "a"} | paused(),
    ),
}  # fmt: skip


@pytest.mark.parametrize("sentence", CALLS)
def test_annotations(
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    api, arguments, told, left = CALLS[sentence]
    with api_server(api) as url:
        assert run(monkeypatch, *arguments, "--kubeconfig", kubeconfig(tmp_path, url)) == 0
    assert capsys.readouterr().out == told
    assert api.objects[0]["metadata"]["annotations"] == left
    assert [path for path, _ in api.patched] == [POLICY]


def test_a_whole_namespace(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    api = Api([namespace()])
    with api_server(api) as url:
        config = ("--kubeconfig", kubeconfig(tmp_path, url))
        assert run(monkeypatch, "pause", "--whole-namespace", *config) == 0
        assert api.objects[0]["metadata"]["annotations"] == paused()
        assert run(monkeypatch, "resume", "--whole-namespace", *config) == 0
    assert api.objects[0]["metadata"]["annotations"] == {}
    assert capsys.readouterr().out == (
        "all policies of namespace team-a: paused, replicas stay as they are\n"
        "all policies of namespace team-a: scaled again from the next look on\n"
    )


def test_a_dry_run_stores_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    api = Api([policy("resnet")])
    with api_server(api) as url:
        config = ("--kubeconfig", kubeconfig(tmp_path, url))
        assert run(monkeypatch, "pause", "resnet", "--dry-run", *config) == 0
    assert "dry run: nothing was stored" in capsys.readouterr().out
    assert (api.patched, api.objects[0]["metadata"]["annotations"]) == ([], {})


REFUSED: dict[str, tuple[Api, tuple[str, ...], int, str]] = {
    "no such policy": (Api(), ("pause", "resnet"), 3, "error: no InferenceCostPolicy 'resnet' in namespace 'team-a'"),
    "no such namespace": (Api(), ("pause", "--whole-namespace"), 3, "error: no namespace 'team-a'"),
    "not allowed": (
        Api([policy("resnet")], forbidden=frozenset({"inferencecostpolicies"})), ("resume", "resnet"),
        1, "error: you may not patch inferencecostpolicies.inferencecost.dev: ask for the role",
    ),
    "no name": (Api(), ("pause",), 2, "error: give NAME of a policy, or --whole-namespace"),
    "both": (Api(), ("pause", "resnet", "--whole-namespace"), 2, "error: give NAME of a policy"),
}  # fmt: skip


@pytest.mark.parametrize("sentence", REFUSED)
def test_refusals(
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    api, arguments, code, told = REFUSED[sentence]
    with api_server(api) as url:
        assert run(monkeypatch, *arguments, "--kubeconfig", kubeconfig(tmp_path, url)) == code
    printed = capsys.readouterr()
    assert (printed.out, printed.err.startswith(told)) == ("", True)
    assert api.patched == []


def test_a_negative_number_of_replicas_is_wrong_usage(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(monkeypatch, "pause", "resnet", "--replicas", "-1") == 2
