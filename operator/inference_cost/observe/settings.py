"""Settings of what is read: scale targets, Prometheus, gateway, Triton, prices."""

import re
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

Seconds = Annotated[float, Field(gt=0, le=3_600)]
LabelName = Annotated[str, Field(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]*$")]

# One or more `label="value"` with PromQL's four operators, and nothing that could end the selector.
_MATCHERS = re.compile(
    r'^\s*[a-zA-Z_][a-zA-Z0-9_]*\s*(=|!=|=~|!~)\s*"(?:[^"\\\n]|\\.)*"\s*'
    r'(,\s*[a-zA-Z_][a-zA-Z0-9_]*\s*(=|!=|=~|!~)\s*"(?:[^"\\\n]|\\.)*"\s*)*,?\s*$'
)


class Section(BaseModel):
    """A group of settings. An unknown name is refused: it is a typing mistake that would go unnoticed."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class ScaleTargetKind(Section):
    """A kind with `/scale` beside Deployment and StatefulSet."""

    kind: Annotated[str, Field(pattern=r"^[A-Z][A-Za-z0-9]*$")]
    """Kind as in a manifest, for example `Rollout`."""
    group: str
    """API group, for example `argoproj.io`."""
    version: Annotated[str, Field(pattern=r"^v[0-9]+((alpha|beta)[0-9]+)?$")]
    """API version, for example `v1alpha1`."""
    plural: Annotated[str, Field(pattern=r"^[a-z0-9-]+$")]
    """Plural as in the API's paths, for example `rollouts`."""


class ClusterSettings(Section):
    scale_targets: tuple[ScaleTargetKind, ...] = ()
    """Kinds with `/scale` that policies may name, beside Deployment and StatefulSet. The role must allow them."""

    allowed_owners: tuple[str, ...] = ()
    """Kinds that may control a target without the policy being refused. They must leave its replicas alone."""

    relist_min_seconds: Seconds = 300.0
    """Shortest time between two complete re-lists of the watched kinds …"""

    relist_max_seconds: Seconds = 600.0
    """… and the longest. Each pause is drawn between the two."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.relist_max_seconds < self.relist_min_seconds:
            raise ValueError("`relist_max_seconds` must be at least `relist_min_seconds`")
        return self


def _valid_matchers(value: str) -> str:
    if value and not _MATCHERS.match(value):
        raise ValueError('must be label matchers such as `cluster="prod", tenant="a"`')
    return value


class PrometheusSettings(Section):
    url: Annotated[str, Field(pattern=r"^(https?://[^\s?#]+)?$")] = ""
    """Base URL of Prometheus or a compatible store, path prefix included. Empty: nothing is measured."""

    bearer_token_file: str = ""
    """File with a bearer token. Read again when it changes."""

    headers: dict[str, str] = Field(default_factory=dict)
    """Headers sent with each query, for example `X-Scope-OrgID`. Not for secrets: see `header_files`."""

    header_files: dict[str, str] = Field(default_factory=dict)
    """Headers whose values are in files. Read again when they change."""

    ca_file: str = ""
    """PEM file of the certificate authority. Empty: the system's."""

    client_certificate_file: str = ""
    """PEM file of a client certificate, for mutual TLS."""

    client_key_file: str = ""
    """PEM file of its key. Empty: the key is in the certificate's file."""

    matchers: str = ""
    """Label matchers put into every query, for stores that hold several clusters: `cluster="prod-1"`."""

    namespace_label: LabelName = "namespace"
    """Label with the namespace of the scraped pod."""

    pod_label: LabelName = "pod"
    """Label with the name of the scraped pod."""

    connect_timeout_seconds: Seconds = 2.0
    """Longest time to connect."""

    query_timeout_seconds: Seconds = 5.0
    """Longest time for one query; also sent to the server as the query's own limit."""

    deadline_seconds: Seconds = 8.0
    """Longest time for all queries of one tick together. Less than the tick."""

    max_response_mebibytes: Annotated[int, Field(ge=1, le=1_024)] = 64
    """A longer answer is refused."""

    threads: Annotated[int, Field(ge=1, le=16)] = 6
    """Queries under way at once."""

    @field_validator("matchers")
    @classmethod
    def _matchers(cls, value: str) -> str:
        return _valid_matchers(value)

    @field_validator("url")
    @classmethod
    def _no_slash(cls, value: str) -> str:
        return value.rstrip("/")


class GatewaySettings(Section):
    preset: Literal["none", "envoy"] = "none"
    """Whose metrics tell the offered load and the latency seen in front of the fleet. `envoy`: Envoy's
    `envoy_cluster_upstream_rq_*`, as Istio, Envoy Gateway and Contour export them."""

    matchers: str = ""
    """Label matchers for these queries alone, for example `job="ingress-gateway"`."""

    cluster_label: LabelName = "envoy_cluster_name"
    """Label with the name of the upstream cluster."""

    cluster_patterns: tuple[str, ...] = (
        r"outbound\|\d+\|[^|]*\|(?P<service>[^.]+)\.(?P<namespace>[^.]+)\.svc\..*",
        r"(?P<namespace>[^/|]+)/(?P<service>[^/|:]+)(?::\d+)?",
    )
    """Patterns from an upstream cluster's name to a Service: groups `namespace` and `service`. The first that
    matches the whole name counts. Defaults: Istio's `outbound|80||svc.ns.svc.cluster.local`, and `ns/svc`."""

    @field_validator("matchers")
    @classmethod
    def _matchers(cls, value: str) -> str:
        return _valid_matchers(value)

    @field_validator("cluster_patterns")
    @classmethod
    def _patterns(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in value:
            try:
                groups = re.compile(pattern).groupindex
            except re.error as error:
                raise ValueError(f"{pattern!r} is not a regular expression: {error}") from error
            if not {"namespace", "service"} <= groups.keys():
                raise ValueError(f"{pattern!r} needs the groups `namespace` and `service`")
        return value


class PriceSettings(Section):
    karpenter: bool = True
    """Whether Karpenter's prices of offerings are read from Prometheus. They are in US dollars, and go before the
    list prices that the operator ships."""

    open_cost: bool = True
    """Whether OpenCost's prices of existing nodes are read from Prometheus. They go after Karpenter's. OpenCost must
    count in the installation's currency."""

    refresh_seconds: Annotated[float, Field(ge=15, le=3_600)] = 60.0
    """Pause between two looks."""


class AddressRule(Section):
    """How to reach a pod whose address cannot be dialed as it is."""

    pattern: str
    """Regular expression on the whole pod address."""
    replacement: str
    """What to dial instead; `$1` refers to the pattern's first group, as in Prometheus relabeling."""

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, value: str) -> str:
        try:
            re.compile(value)
        except re.error as error:
            raise ValueError(f"{value!r} is not a regular expression: {error}") from error
        return value


class TritonSettings(Section):
    enabled: bool = True
    """Whether one ready pod per target and template is asked for its models' configuration and statistics.
    Without it, profiles come from Prometheus counters alone."""

    http_port: Annotated[int, Field(ge=1, le=65_535)] = 8000
    """Port of Triton's HTTP endpoint."""

    timeout_seconds: Seconds = 2.0
    """Longest time for one request."""

    refresh_seconds: Annotated[float, Field(ge=5, le=86_400)] = 300.0
    """How long an answer is used."""

    retry_seconds: Seconds = 30.0
    """Pause after a failure, and while a model has run too few batches for its timings to be settled."""

    concurrency: Annotated[int, Field(ge=1, le=64)] = 4
    """Pods asked at once."""

    address_rules: tuple[AddressRule, ...] = ()
    """Rules from pod address to the address to dial; the first that matches counts."""
