"""The exposition is Envoy's: names, types, buckets; it says what happened."""

import re

import pytest

from e2e.rig.envoy_metrics import DEFAULT_BOUNDS_MILLISECONDS, ClusterStats, bounds_with

SAMPLE = re.compile(r"(?P<name>\w+)\{(?P<labels>[^}]*)\} (?P<value>\S+)")


def samples(stats: ClusterStats) -> dict[tuple[str, str], float]:
    """Sample by name and the label beside the cluster's name ("" without one).

    prometheus_client's parser would append `_total` to the counters, which neither Envoy nor Prometheus does.
    """
    found = {}
    for line in stats.exposition().splitlines():
        if sample := SAMPLE.fullmatch(line):
            labels = dict(re.findall(r'(\w+)="([^"]*)"', sample["labels"]))
            assert labels.pop("envoy_cluster_name") == stats.cluster_name
            found[sample["name"], next(iter(labels.values()), "")] = float(sample["value"])
        else:
            assert line.startswith("# TYPE ")
    return found


def test_default_buckets_are_envoys() -> None:
    stats = ClusterStats("demo/triton")
    bounds = [le for name, le in samples(stats) if name == "envoy_cluster_upstream_rq_time_bucket"]
    assert bounds == [
        *("0.5", "1", "5", "10", "25", "50", "100", "250", "500", "1000", "2500", "5000", "10000"),
        *("30000", "60000", "300000", "600000", "1800000", "3600000", "+Inf"),
    ]


def test_a_threshold_gets_its_own_bucket_and_the_bound_belongs_to_it() -> None:
    stats = ClusterStats("demo/triton", bounds_with(300))
    for milliseconds in (299.9, 300.0, 300.1, 4_000_000.0):
        stats.answered(200, milliseconds)
    found = samples(stats)
    bucket = "envoy_cluster_upstream_rq_time_bucket"
    assert found[bucket, "250"] == 0
    assert found[bucket, "300"] == 2
    assert found[bucket, "500"] == 3
    assert found[bucket, "3600000"] == 3
    assert found[bucket, "+Inf"] == 4
    assert found["envoy_cluster_upstream_rq_time_count", ""] == 4
    assert found["envoy_cluster_upstream_rq_time_sum", ""] == pytest.approx(4_000_900)


def test_a_local_answer_counts_in_its_class_and_has_no_time() -> None:
    stats = ClusterStats("demo/triton")
    stats.answered(200, 10)
    stats.responded(503)
    found = samples(stats)
    assert found["envoy_cluster_upstream_rq_xx", "2"] == 1
    assert found["envoy_cluster_upstream_rq_xx", "5"] == 1
    assert found["envoy_cluster_upstream_rq_time_count", ""] == 1


def test_every_response_class_is_there_from_the_start() -> None:
    found = samples(ClusterStats("demo/triton"))
    classes = {label for name, label in found if name == "envoy_cluster_upstream_rq_xx"}
    assert classes == {"2", "3", "4", "5"}


def test_families_have_envoys_types() -> None:
    types = [
        line.removeprefix("# TYPE ")
        for line in ClusterStats("demo/triton").exposition().splitlines()
        if line.startswith("#")
    ]
    assert types == [
        "envoy_cluster_upstream_rq_total counter",
        "envoy_cluster_upstream_rq_retry counter",
        "envoy_cluster_upstream_rq_timeout counter",
        "envoy_cluster_upstream_cx_connect_fail counter",
        "envoy_cluster_upstream_rq_active gauge",
        "envoy_cluster_upstream_rq_pending_active gauge",
        "envoy_cluster_membership_healthy gauge",
        "envoy_cluster_upstream_rq_xx counter",
        "envoy_cluster_upstream_rq_time histogram",
    ]


def test_bounds_out_of_order_are_refused() -> None:
    with pytest.raises(ValueError, match="ascend"):
        ClusterStats("demo/triton", (2, 1))


def test_a_threshold_that_is_a_bucket_already_is_not_doubled() -> None:
    assert bounds_with(250) == DEFAULT_BOUNDS_MILLISECONDS
