"""A sentence, an exit code and no traceback for each way in which what was given is wrong."""

import gzip
from pathlib import Path

import pytest

from tests.unit.cli.backtest.runs import (
    ON_DEMAND,
    PROFILE,
    SPOT,
    arrivals_file,
    objects_file,
    policy,
    run,
    without_simulator,
)

ERROR, USAGE, NOT_FOUND = 1, 2, 3
TYPO = policy().replace("maxReplicas", "maximumReplicas")
QUEUE_TIME = policy().replace(
    'latency: {thresholdMilliseconds: 100, target: "99.0"}', "queueTime: {meanMilliseconds: 5}"
)
DRAIN = policy().replace(
    'latency: {thresholdMilliseconds: 100, target: "99.0"}', "drain: {withinSeconds: 600}"
)
FOLLOWS_GPU = policy().replace("slo:", "signal: {type: GPUUtilization, targetPercent: 70}\n  slo:")
DISCOUNT = ON_DEMAND.replace(
    'offerings: [{instanceType: g4dn.xlarge, perNodeHour: "0.50"}]', 'discountPercent: "10"'
)
CHECKPOINT = """\
apiVersion: inferencecost.dev/v1alpha1
kind: InferenceCostCheckpoint
metadata: {name: resnet, namespace: team-a}
data: {version: 1, writtenBy: 0.1.0, writtenAt: 2026-01-31T08:00:00Z, payload: AAAA}
"""

OBJECTS: dict[str, tuple[tuple[str, ...], int, str]] = {
    "no policy": ((ON_DEMAND,), ERROR, "-f holds no InferenceCostPolicy; add one"),
    "an empty file": (("",), ERROR, "objects.yaml holds no object"),
    "not YAML": (("a: [",), ERROR, "objects.yaml is not YAML: line "),
    "a list in place of an object": (("- a\n- b\n",), ERROR, "objects.yaml: is not an object with"),
    "a kind that is not ours": (
        (policy(), "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\n"), ERROR,
        "objects.yaml, document 2: kind Deployment is not read here; only InferenceCostPolicy, Cap",
    ),
    "another version": (
        (policy().replace("v1alpha1", "v9"),), ERROR, "apiVersion must be inferencecost.dev/v1alpha1, not",
    ),
    "no name": ((policy().replace("name: resnet, ", "", 1),), ERROR, "has no metadata.name; set it"),
    "a field with a typing mistake": (
        (ON_DEMAND, TYPO), ERROR,
        "InferenceCostPolicy resnet: spec.maxReplicas: is required; set it; spec.maximumReplicas: is not a field",
    ),
    "more minimum than maximum": (
        (policy().replace("minReplicas: 1", "minReplicas: 99"),), ERROR, "`minReplicas` must be less than",
    ),
    "no objective in milliseconds": (
        (QUEUE_TIME,), ERROR, "spec.slo.latency: backtest needs a latency objective for now",
    ),
    "a deadline as the objective": (
        (DRAIN,), ERROR, "objective for now; set it in place of queueTime or drain",
    ),
    "replicas that follow the GPUs": (
        (FOLLOWS_GPU,), ERROR, "spec.signal: GPU utilization is not simulated",
    ),
    "two policies and one series": (
        (policy(), policy("bert")), ERROR,
        "-f holds 2 policies (resnet, bert): give one, or arrivals of each as policy,t_s,count",
    ),
    "the same policy twice": (
        (policy(), policy()), ERROR,
        "document 2: InferenceCostPolicy resnet is also in objects.yaml, document 1",
    ),
    "a pool reference to nowhere": (
        (policy() + "  poolRef: {name: gone}\n", ON_DEMAND), ERROR,
        "spec.poolRef.name: there is no CapacityPool 'gone' in -f (there: t4); add it",
    ),
    "a pool reference to nowhere in a variant": (
        (policy() + "  variants: [{name: a, poolRef: {name: t4}}, {name: b, poolRef: {name: gone}}]\n", ON_DEMAND),
        ERROR, "spec.variants[1].poolRef.name: there is no CapacityPool 'gone'",
    ),
    "a pool reference without any pool": (
        (policy() + "  poolRef: gone\n",), ERROR, "spec.poolRef: there is no CapacityPool 'gone' in -f (there: none)",
    ),
    "a discount on an unknown list price": (
        (policy(), DISCOUNT), ERROR,
        "CapacityPool/t4 has no offerings and its list price is unknown: the node has no label node.kube",
    ),
    "a pool without a price that is one": (
        (policy(), ON_DEMAND.replace('"0.50"', '"0"')), ERROR, "`perNodeHour` must be greater than 0",
    ),
}  # fmt: skip


@pytest.mark.parametrize("sentence", OBJECTS)
def test_objects(
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    documents, code, message = OBJECTS[sentence]
    file = objects_file(tmp_path, *documents)
    arguments = ("-f", file, "--arrivals", arrivals_file(tmp_path), "--profile", PROFILE)
    refused(monkeypatch, capsys, code, message, *arguments)


def refused(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    code: int,
    message: str,
    *arguments: str,
) -> None:
    without_simulator(monkeypatch)
    assert run(monkeypatch, *arguments) == code
    printed = capsys.readouterr()
    assert printed.out == ""
    assert message in printed.err
    assert "Traceback" not in printed.err
    if code != USAGE:
        assert printed.err.startswith("error: ")
        assert printed.err.count("\n") == 1


OPTIONS: dict[str, tuple[tuple[str, ...], int, str]] = {
    "a profile with a key that is none": (
        ("--profile", "fixedMillis=1"), USAGE, "'fixedMillis' is not one of fixedMilliseconds, perItem",
    ),
    "a profile without all of it": (
        ("--profile", "fixedMilliseconds=1,perItemMilliseconds=2"), USAGE, "maxBatch is missing; for example",
    ),
    "a profile with text": (
        ("--profile", "fixedMilliseconds=x,perItemMilliseconds=2,maxBatch=4"), USAGE,
        "fixedMilliseconds must be a number from 0 to 600,000, not 'x'",
    ),
    "a profile that is not a number": (
        ("--profile", "fixedMilliseconds=nan,perItemMilliseconds=2,maxBatch=4"), USAGE, "not 'nan'",
    ),
    "a negative profile": (
        ("--profile", "fixedMilliseconds=-1,perItemMilliseconds=2,maxBatch=4"), USAGE, "not '-1'",
    ),
    "a profile of nothing": (
        ("--profile", "fixedMilliseconds=0,perItemMilliseconds=0,maxBatch=4"), USAGE, "a batch must take some time",
    ),
    "half a batch": (
        ("--profile", "fixedMilliseconds=1,perItemMilliseconds=2,maxBatch=1.5"), USAGE,
        "maxBatch must be a whole number from 1 to 4,096, not '1.5'",
    ),
    "a flag that is none": (
        ("--profile", f"{PROFILE},queuePolicy=maybe"), USAGE, "queuePolicy must be true or false, not 'maybe'",
    ),
    "a key twice": (("--profile", f"{PROFILE},maxBatch=4"), USAGE, "maxBatch is there twice"),
    "a profile that is not key=value": (("--profile", "fast"), USAGE, "'fast' is not key=value"),
    "a baseline that is none": (("--against", "hpa,magic"), USAGE, "--against magic: is not one of hpa, keda"),
    "a spot rule without spot": (
        ("--against", "spothedge"), USAGE, "--against spothedge needs --spot-availability and a spot Cap",
    ),
    "a price that is none": (("--price-per-replica-hour", "free"), USAGE, "999,999,999,999), not 'free'"),
    "a price beyond all measure": (("--price-per-replica-hour", "1e400"), USAGE, "to 999,999,999,999), not '1e400'"),
    "a price far beyond all others": (("--price-per-replica-hour", "1e300"), USAGE, "must be a number above 0 (from"),
    "a price next to nothing": (("--price-per-replica-hour", "1e-400"), USAGE, "must be a number above 0"),
    "a price of nothing": (("--price-per-replica-hour", "0"), USAGE, "must be a number above 0"),
    "no price": (("--price-per-replica-hour", ""), USAGE, "must be a number above 0"),
    "start times twice": (("--start-seconds", "180", "--start-file", "a.csv"), USAGE, "exclude each other"),
    "an end of a history that is not read": (("--to", "now"), USAGE, "--to is of --from, and excludes --arrivals"),
    "matchers of nothing": (("--prometheus-matchers", 'a="b"'), USAGE, "--prometheus-matchers is of --from"),
    "gaps of nothing": (("--fill-gaps-seconds", "60"), USAGE, "--fill-gaps-seconds is of --from"),
    "two columns": (("--column", "a", "--rate-column", "b"), USAGE, "exclude each other"),
    "a column that is not there": (("--column", "many"), ERROR, "there is no column 'many'; the columns are"),
    "a share above all": (("--missing-percent", "101"), USAGE, "Invalid value for '--missing-percent'"),
    "a negative time": (("--start-seconds=-1",), USAGE, "Invalid value for '--start-seconds'"),
    "an output that is none": (("-o", "xml"), USAGE, "xml"),
    "nothing left to count": (
        ("--exclude-first-seconds", "4000"), ERROR, "cover 4000 s, of which the first 4000 s do not count",
    ),
    "a folder that is not there": (("-O", "/nowhere/at/all.json"), ERROR, "cannot be written"),
    "arrivals twice": (("--from", "-7d"), USAGE, "give either --arrivals FILE, or --from"),
    "a Prometheus for nothing": (("--prometheus-url", "http://127.0.0.1:1"), USAGE, "--prometheus-url needs --from"),
    "spot without a spot pool": (
        ("--spot-availability", "zones.csv"), ERROR, "-f has no spot CapacityPool with offerings by zone; add one",
    ),
}  # fmt: skip


@pytest.mark.parametrize("sentence", OPTIONS)
def test_options(
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    arguments, code, message = OPTIONS[sentence]
    monkeypatch.chdir(tmp_path)
    Path("zones.csv").write_text("t_s,z-a\n0,1\n")
    given = ("-f", objects_file(tmp_path), "--arrivals", arrivals_file(tmp_path))
    profile = () if "--profile" in arguments else ("--profile", PROFILE)
    refused(monkeypatch, capsys, code, message, *given, *profile, *arguments)


ZONES: dict[str, tuple[str, str]] = {
    "an unknown zone": (
        "t_s,z-a,z-b,z-c\n0,1,1,1\n",
        "line 1, column z-c: no spot CapacityPool in -f has an offering in a zone of that name (zones there: z-a,",
    ),
    "a zone that is offered and never told of": (
        "t_s,z-a\n0,1\n", "zones.csv: it has no column for the zone z-b that a spot CapacityPool in -f offers",
    ),
    "no zone": ("t_s\n0\n", "zones.csv, line 1: there is no column of a zone beside t_s"),
    "more than all": ("t_s,z-a,z-b\n0,1,1\n60,1,2\n", "line 3, column z-b: '2' must be 0 (none) or 1 (available)"),
    "times out of order": ("t_s,z-a,z-b\n0,1,1\n60,1,1\n30,1,0\n", "line 4, column t_s: '30' comes after 60"),
    "a time twice": ("t_s,z-a,z-b\n0,1,1\n0,1,1\n", "line 3, column t_s: '0' comes after 0: times must ascend"),
    "a start that is not covered": ("t_s,z-a,z-b\n600,1,1\n", "covers 600 s to 600 s of the run, whose first second"),
    "another clock": ("t_s,z-a,z-b\n-600,1,1\n-60,1,1\n", "covers -600 s to -60 s of the run"),
}  # fmt: skip


@pytest.mark.parametrize("sentence", ZONES)
def test_spot_availability(
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    content, message = ZONES[sentence]
    zones = tmp_path / "zones.csv"
    zones.write_text(content)
    objects = objects_file(tmp_path, policy(), ON_DEMAND, SPOT)
    arguments = ("-f", objects, "--arrivals", arrivals_file(tmp_path), "--profile", PROFILE)
    refused(monkeypatch, capsys, ERROR, message, *arguments, "--spot-availability", str(zones))


STARTS: dict[str, tuple[str, str]] = {
    "no column of times": ("t_s\n1\n", "there is no column 'seconds'; the columns are t_s; the times are in one of"),
    "two columns of times": ("seconds,load_ms\n1,1000\n", "both seconds and load_ms are there; remove one"),
    "a negative time": ("load_ms\n100\n-5\n", "line 3, column load_ms: '-5' must not be negative"),
    "a start-up of ages": ("seconds\n100\n1e308\n", "line 3, column seconds: '1e308' is more than 86,400 s"),
    "a header alone": ("load_ms\n", "there is no row below the header line"),
}  # fmt: skip


@pytest.mark.parametrize("sentence", STARTS)
def test_start_file(
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    content, message = STARTS[sentence]
    starts = tmp_path / "loads.csv"
    starts.write_text(content)
    arguments = ("-f", objects_file(tmp_path), "--arrivals", arrivals_file(tmp_path))
    more = ("--profile", PROFILE, "--start-file", str(starts))
    refused(monkeypatch, capsys, ERROR, message, *arguments, *more)


PROMETHEUS: dict[str, tuple[tuple[str, ...], int, str]] = {
    "a column of a history": (
        ("--prometheus-url", "http://127.0.0.1:9", "--column", "a"), USAGE, "--rate-column are of --arrivals",
    ),
    "another protocol": (
        ("--prometheus-url", "ftp://x"), USAGE, "--prometheus-url ftp://x: must begin with http:// or https://",
    ),
    "nobody listens": (
        ("--prometheus-url", "http://127.0.0.1:9"), ERROR, ": cannot be asked: Connection refused\n",
    ),
}  # fmt: skip


@pytest.mark.parametrize("sentence", PROMETHEUS)
def test_prometheus(
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    arguments, code, message = PROMETHEUS[sentence]
    given = ("-f", objects_file(tmp_path), "--from", "-7d", "--profile", PROFILE)
    refused(monkeypatch, capsys, code, message, *given, *arguments)


def test_files_that_are_not_there(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    objects, arrivals = objects_file(tmp_path), arrivals_file(tmp_path)
    missing = str(tmp_path / "gone")
    for arguments in (
        ("-f", missing, "--arrivals", arrivals),
        ("-f", objects, "--arrivals", missing),
        ("-f", objects, "--arrivals", arrivals, "--start-file", missing),
    ):
        refused(monkeypatch, capsys, NOT_FOUND, f"there is no file {missing}", *arguments)


def test_no_profile_anywhere(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The cluster is asked last, and here there is none."""
    arguments = ("-f", objects_file(tmp_path), "--arrivals", arrivals_file(tmp_path))
    config = ("--kubeconfig", str(tmp_path / "none"))
    message = (
        "no service times for team-a/resnet: there is no --profile, no InferenceCostCheckpoint of it in -f, "
        "and none from the cluster (no usable kubeconfig"
    )
    refused(monkeypatch, capsys, ERROR, message, *arguments, *config)


def test_a_checkpoint_that_cannot_be_read(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    objects = objects_file(tmp_path, policy(), CHECKPOINT)
    message = (
        "the InferenceCostCheckpoint of team-a/resnet in -f cannot be read by this version; give"
    )
    arguments = ("-f", objects, "--arrivals", arrivals_file(tmp_path))
    refused(monkeypatch, capsys, ERROR, message, *arguments)


FLEET: dict[str, tuple[str, str]] = {
    "a policy that is not in -f": ("policy,t_s,count\ngone,0,1\ngone,10,1\n",
        "arrivals of policy 'gone': there is none in -f (there: team-a/resnet, team-b/resnet)"),
    "a name that two policies have": ("policy,t_s,count\nresnet,0,1\nresnet,10,1\n",
        "arrivals of policy 'resnet': -f has 2 of that name; write namespace/name"),
    "a policy without arrivals": ("policy,t_s,count\nteam-a/resnet,0,1\nteam-a/resnet,10,1\n",
        "there are no arrivals of policy team-b/resnet; add them, or remove it from -f"),
}  # fmt: skip


@pytest.mark.parametrize("sentence", FLEET)
def test_fleet(
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    content, message = FLEET[sentence]
    arrivals = tmp_path / "fleet.csv.gz"
    arrivals.write_bytes(gzip.compress(content.encode()))
    objects = objects_file(tmp_path, policy(), policy(namespace="team-b"))
    arguments = ("-f", objects, "--arrivals", str(arrivals), "--profile", PROFILE)
    refused(monkeypatch, capsys, ERROR, message, *arguments)
