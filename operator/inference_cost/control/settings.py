"""Every setting of the operator, typed, in one model.

Read from the environment (`INFERENCE_COST_<SECTION>__<FIELD>`) and from a YAML file named by
`INFERENCE_COST_CONFIG_FILE`; the environment wins. The reference page docs/settings.md is made from this model.
"""

import os
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    YamlConfigSettingsSource,
)

from inference_cost.model.observation import DecisionSettings as DecisionNumbers
from inference_cost.observe.settings import (
    ClusterSettings,
    GatewaySettings,
    PriceSettings,
    PrometheusSettings,
    TritonSettings,
)

ENV_PREFIX = "INFERENCE_COST_"
CONFIG_FILE_VARIABLE = "INFERENCE_COST_CONFIG_FILE"

Seconds = Annotated[float, Field(gt=0, le=86_400)]
Fraction = Annotated[float, Field(gt=0, le=1)]


class Section(BaseModel):
    """A group of settings. An unknown name is refused: it is a typing mistake that would go unnoticed."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class EnforceSettings(Section):
    enabled: bool = False
    """Whether policies in mode Enforce may write `/scale`. False turns every policy to Recommend. Read again from
    the file at every tick, so that a change takes effect without a restart."""


class ScaleInOrderSettings(Section):
    enabled: bool = False
    """Whether pods that are to go first are marked just before replicas are removed (the annotation
    `controller.kubernetes.io/pod-deletion-cost`). Needs the right to patch pods."""


class KubernetesSettings(Section):
    kubeconfig: str = ""
    """Path of a kubeconfig. Empty: `KUBECONFIG`, else the pod's service account, else `~/.kube/config`."""

    context: str = ""
    """Context of the kubeconfig. Empty: its current context."""


class LeaseSettings(Section):
    name: Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", max_length=253)] = (
        "inference-cost-operator"
    )
    """Name of the Lease that elects the leader."""

    namespace: str = ""
    """Namespace of the Lease. Empty: the pod's own, or `default` outside a pod."""

    duration_seconds: Seconds = 15.0
    """How long a Lease that is no longer renewed keeps others from leading. At least the renew deadline."""

    renew_deadline_seconds: Seconds = 10.0
    """The leader stops writing when it could not renew for this long. Less than `duration_seconds`."""

    retry_seconds: Seconds = 2.0
    """Pause between attempts to take or renew the Lease. At most a third of the renew deadline."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.renew_deadline_seconds >= self.duration_seconds:
            raise ValueError("`renew_deadline_seconds` must be less than `duration_seconds`")
        if self.retry_seconds > self.renew_deadline_seconds / 3:
            raise ValueError("`retry_seconds` must be at most a third of `renew_deadline_seconds`")
        return self


class LoopSettings(Section):
    tick_seconds: Annotated[float, Field(ge=1, le=600)] = 15.0
    """Pause from one look at all policies to the next. The scrape interval of Prometheus if that is longer."""

    debounce_seconds: Annotated[float, Field(ge=0.05, le=10)] = 0.5
    """How long changes are gathered before they wake the loop ahead of time."""

    observe_deadline_seconds: Annotated[float, Field(ge=1, le=600)] = 12.0
    """A look that takes longer is given up; replicas stay, and the next tick tries again. Not less than two seconds
    over `prometheus.deadline_seconds`, whatever is set here."""


class HttpSettings(Section):
    host: str = "0.0.0.0"  # noqa: S104  # a pod's probes and metrics come from outside the pod
    """Address of `/livez`, `/readyz` and `/metrics`."""

    port: Annotated[int, Field(ge=0, le=65_535)] = 8080
    """Port of the same. 0: any free port, written to the log."""


class LogSettings(Section):
    level: Literal["debug", "info", "warning", "error"] = "info"
    """Least severity that is logged."""


class DecisionSettings(Section):
    rate_window_seconds: Annotated[float, Field(ge=4, le=3_600)] = 60.0
    """Width of the window over which counters are turned into rates. At least four scrape intervals; where the metrics
    store tells late, its lag and three scrape intervals. What it is longer than 60 s, samples may be older, too."""

    start_up_seconds_prior: Seconds = 180.0
    """Assumed time from a `/scale` write to a ready replica, until it is learned from pods."""

    slo_window_seconds: Seconds = 300.0
    """Window over which the share of requests within the objective is measured."""

    fleet_guard_min_policies: Annotated[int, Field(ge=1)] = 10
    """The fleet guard acts from this many policies on."""

    fleet_guard_min_replicas: Annotated[int, Field(ge=1)] = 50
    """The fleet guard acts from this many managed replicas on."""

    fleet_guard_removal_fraction: Fraction = 0.10
    """Largest share of all managed replicas that is removed per period. Never less than one per policy."""

    fleet_guard_period_seconds: Seconds = 600.0
    """The period of the above."""

    fleet_guard_freeze_fraction: Fraction = 1 / 3
    """Scale-in stops for all when more than this share of the policies asks to go in by much …"""

    fleet_guard_freeze_drop: Fraction = 0.30
    """… that is by more than this share of its replicas …"""

    fleet_guard_freeze_seconds: Seconds = 120.0
    """… within this time."""

    upgrade_hold_seconds: Annotated[float, Field(ge=0, le=86_400)] = 600.0
    """Only scale-out for this long after another version of the operator took over."""


class BackfillSettings(Section):
    days: Annotated[int, Field(ge=0, le=31)] = 7
    """How many days of its demand a new policy learns from Prometheus when it starts, as far as these are kept.
    0: none; it then begins with what other services needed."""


class WarmSettings(Section):
    enabled: bool = False
    """Whether nodes are kept ready by placeholders for CapacityPools with `spec.warm`. False: the number that would pay
    is shown, and nothing is written."""

    image: Annotated[str, Field(min_length=1, max_length=512)] = "registry.k8s.io/pause:3.10"
    """Image of a placeholder, which does nothing."""

    priority_class: Annotated[
        str, Field(pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", max_length=253)
    ] = "inference-cost-operator-warm"
    """PriorityClass of placeholders: below that of every pod that is to take their place, and not below -10, at which
    the Cluster Autoscaler adds no node any more. The placeholders are deleted with it."""

    capacity_buffers: bool = False
    """Whether, with `enabled`, CapacityBuffers (autoscaling.x-k8s.io/v1beta1) may be written, for pools whose
    `spec.warm.strategy` asks for one."""

    buffer_priority_class: Annotated[
        str, Field(pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", max_length=253)
    ] = "inference-cost-operator-warm-buffer"
    """PriorityClass of the pods by which CapacityBuffers are counted, at -10, too. The buffers are deleted with it."""


class WriteSettings(Section):
    scale_per_second: Annotated[float, Field(gt=0, le=1_000)] = 20.0
    """Largest rate of `/scale` writes, after a burst of twice as many; and of marks of pods that are to go first, which
    are counted by themselves."""

    status_per_second: Annotated[float, Field(gt=0, le=1_000)] = 1.0
    """Budget of status, checkpoint and placeholder writes together, spread evenly."""

    status_burst: Annotated[int, Field(ge=1, le=1_000)] = 20
    """Status writes whose meaning changed (a condition, replicas) that may go out at once before the rate binds."""

    status_refresh_seconds: Seconds = 300.0
    """Least time between two status writes that only bring numbers (cost, demand) up to date."""

    status_at_least_seconds: Seconds = 3_600.0
    """A status with moving numbers is written at least this often."""

    checkpoint_seconds: Seconds = 600.0
    """Least time between two checkpoints of one policy; a minute where a new leader could not learn it anew."""

    events_per_minute: Annotated[float, Field(gt=0, le=6_000)] = 60.0
    """Largest rate of Kubernetes Events over all policies, after a burst of 100."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.status_at_least_seconds < self.status_refresh_seconds:
            raise ValueError("`status_at_least_seconds` must be at least `status_refresh_seconds`")
        return self


class Settings(BaseSettings):
    """All sections. Build it with `load_settings`."""

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX,
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        use_attribute_docstrings=True,
    )

    enforce: EnforceSettings = EnforceSettings()
    """Whether anything is scaled at all."""
    scale_in_order: ScaleInOrderSettings = ScaleInOrderSettings()
    """Which pods go when replicas are removed."""
    kubernetes: KubernetesSettings = KubernetesSettings()
    """How the API server is reached."""
    lease: LeaseSettings = LeaseSettings()
    """Leader election."""
    loop: LoopSettings = LoopSettings()
    """The central loop."""
    http: HttpSettings = HttpSettings()
    """Probes and metrics."""
    log: LogSettings = LogSettings()
    """Logs."""
    cluster: ClusterSettings = ClusterSettings()
    """What is watched in the cluster."""
    prometheus: PrometheusSettings = PrometheusSettings()
    """Where metrics are read."""
    gateway: GatewaySettings = GatewaySettings()
    """Metrics from in front of the fleet: offered load and true latency."""
    prices: PriceSettings = PriceSettings()
    """Prices that the cluster's own tools measure."""
    triton: TritonSettings = TritonSettings()
    """Reading model configurations from Triton itself."""
    decision: DecisionSettings = DecisionSettings()
    """Numbers of the decision that hold for all policies."""
    backfill: BackfillSettings = BackfillSettings()
    """What a new policy learns of the time before it."""
    warm: WarmSettings = WarmSettings()
    """Nodes that are kept ready."""
    writes: WriteSettings = WriteSettings()
    """Limits on what is written to the API server."""
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "USD"
    """ISO 4217 code of the one currency of all prices and amounts."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment over the file over the defaults."""
        del dotenv_settings, file_secret_settings
        file = YamlConfigSettingsSource(settings_cls, yaml_file=config_file())
        return init_settings, env_settings, file

    def decision_numbers(self) -> DecisionNumbers:
        """The same numbers as `decide()` takes them."""
        return DecisionNumbers(
            tick_seconds=self.loop.tick_seconds,
            scale_in_order=self.scale_in_order.enabled,
            **self.decision.model_dump(),
        )


def config_file() -> Path | None:
    name = os.environ.get(CONFIG_FILE_VARIABLE, "")
    return Path(name) if name else None


_SECRET = ("token", "password", "secret", "authorization", "header")
_FILE = ("_file", "_path")


def public(settings: Any) -> Any:
    """The settings as plain values, without what may be a secret. Names of files are not secrets."""
    if isinstance(settings, BaseModel):
        settings = settings.model_dump(mode="json")
    if not isinstance(settings, dict):
        return settings
    return {key: _shown(key, value) for key, value in settings.items()}


def _shown(key: str, value: Any) -> Any:
    hidden = any(word in key for word in _SECRET) and not key.endswith(_FILE)
    return "***" if hidden and value else public(value)
