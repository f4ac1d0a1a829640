"""Settings refuse what cannot work, by field."""

from typing import Any

import pytest
from pydantic import ValidationError

from inference_cost.observe.kinds import WATCHED_KINDS, watched_kinds
from inference_cost.observe.settings import (
    AddressRule,
    ClusterSettings,
    PrometheusSettings,
    Section,
    TritonSettings,
)

REFUSED: dict[str, tuple[type[Section], dict[str, Any], str]] = {
    "a URL without a scheme": (PrometheusSettings, {"url": "prometheus:9090"}, "url"),
    "a URL with a query": (PrometheusSettings, {"url": "http://p/?x=1"}, "url"),
    "matchers in braces": (PrometheusSettings, {"matchers": '{a="b"}'}, "matchers"),
    "matchers that end the selector": (PrometheusSettings, {"matchers": 'a="b"} or x'}, "matchers"),
    "matchers without quotes": (PrometheusSettings, {"matchers": "a=b"}, "matchers"),
    "a label name with a dash": (PrometheusSettings, {"pod_label": "pod-name"}, "pod_label"),
    "an unknown name": (PrometheusSettings, {"adress": "x"}, "adress"),
    "no threads": (PrometheusSettings, {"threads": 0}, "threads"),
    "a broken address rule": (AddressRule, {"pattern": "(", "replacement": "x"}, "pattern"),
    "a port beyond all ports": (TritonSettings, {"http_port": 70_000}, "http_port"),
    "re-list times the wrong way round": (
        ClusterSettings,
        {"relist_min_seconds": 600, "relist_max_seconds": 300},
        "relist_max_seconds",
    ),
}


@pytest.mark.parametrize(("section", "values", "field"), REFUSED.values(), ids=REFUSED)
def test_refused(section: type[Section], values: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError, match=field):
        section(**values)


@pytest.mark.parametrize(
    "matchers", ["", 'cluster="prod"', 'a="b", c=~"d|e",', r'a="quo\"te"', 'a!~"x"']
)
def test_matchers_as_promql_has_them(matchers: str) -> None:
    assert PrometheusSettings(matchers=matchers).matchers == matchers


def test_a_trailing_slash_of_the_url_is_dropped() -> None:
    assert PrometheusSettings(url="http://p:9090/prefix/").url == "http://p:9090/prefix"


def test_more_scale_targets_are_watched_too_and_may_be_absent() -> None:
    rollout = {
        "kind": "Rollout",
        "group": "argoproj.io",
        "version": "v1alpha1",
        "plural": "rollouts",
    }
    settings = ClusterSettings.model_validate({"scale_targets": [rollout]})
    kinds = watched_kinds(settings.scale_targets)
    assert kinds[: len(WATCHED_KINDS)] == WATCHED_KINDS
    assert kinds[-1].path == "/apis/argoproj.io/v1alpha1/rollouts"
    assert kinds[-1].scale_target
    assert kinds[-1].optional
