"""What a scenario asks for: the load of one workload, as JSON over HTTP."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from e2e.rig.fleet_exporter import rates
from e2e.rig.fleet_exporter.rates import Arrivals, RateProfile
from e2e.rig.traces import DAYS

Rate = Annotated[float, Field(ge=0, le=1_000_000, allow_inf_nan=False)]


class ArrivalProcess(StrEnum):
    """Poisson: independent users. Regular: evenly spaced, for a world that does not change."""

    POISSON = "Poisson"
    REGULAR = "Regular"


class _Message(BaseModel):
    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True
    )


class Step(_Message):
    """From so many seconds after the load was set on: this rate."""

    after_seconds: Annotated[float, Field(ge=0)]
    requests_per_second: Rate


class TraceReplay(_Message):
    """A day of the demo's trace in so many seconds, over and over."""

    day: Annotated[int, Field(ge=0, lt=DAYS)] = 10
    seconds: Annotated[float, Field(gt=0)] = 240.0
    factor: Annotated[float, Field(gt=0)] = 1.2


class Load(_Message):
    """Requests to the Ready simulated pods that carry all labels of `selector`.

    Exactly one of `requests_per_second`, `steps` and `trace`. With `service`, the gateway's page has Envoy's
    statistics of the cluster `<namespace>/<service>`.
    """

    namespace: Annotated[str, Field(min_length=1)]
    selector: Annotated[dict[str, str], Field(min_length=1)]
    requests_per_second: Rate | None = None
    steps: tuple[Step, ...] | None = None
    trace: TraceReplay | None = None
    arrivals: ArrivalProcess = ArrivalProcess.POISSON
    service: str = ""
    bucket_milliseconds: tuple[float, ...] = (300.0,)

    @model_validator(mode="after")
    def _one_rate(self) -> Self:
        given = [v for v in (self.requests_per_second, self.steps, self.trace) if v is not None]
        if len(given) != 1:
            raise ValueError("give exactly one of requestsPerSecond, steps and trace")
        self.profile()
        return self

    @property
    def key(self) -> "LoadKey":
        return self.namespace, tuple(sorted(self.selector.items()))

    def profile(self) -> RateProfile:
        """Rates over the seconds since the load was set."""
        if self.trace:
            replay = self.trace
            return rates.trace(day=replay.day, seconds=replay.seconds, factor=replay.factor)
        if self.steps is not None:
            starts = tuple(step.after_seconds for step in self.steps)
            return RateProfile(starts, tuple(step.requests_per_second for step in self.steps))
        return rates.constant(self.requests_per_second or 0.0)

    def selects(self, namespace: str, labels: Mapping[str, str]) -> bool:
        """Whether pods of the namespace with these labels get requests of this load."""
        wanted = self.selector.items()
        return namespace == self.namespace and all(labels.get(k) == v for k, v in wanted)

    @property
    def arrival_process(self) -> Callable[[int], Arrivals]:
        """Make the arrivals of one pod from a seed."""
        regular = self.arrivals is ArrivalProcess.REGULAR
        return rates.RegularArrivals if regular else rates.PoissonArrivals


LoadKey = tuple[str, tuple[tuple[str, str], ...]]
