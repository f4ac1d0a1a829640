"""Reads a Triton server's own account of its models: a port, and its adapter over tritonclient. Never writes."""

import asyncio
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

import aiohttp
from tritonclient.http.aio import InferenceServerClient
from tritonclient.utils import InferenceServerException

from inference_cost.model.profile_key import SEVERAL, UNKNOWN
from inference_cost.model.reading import Missing, MissingReason
from inference_cost.model.signals import BatchStatistic, ModelConfiguration
from inference_cost.observe.fields import mapping, sequence
from inference_cost.observe.settings import AddressRule, TritonSettings

_GROUP = re.compile(r"\$\{?(\d+)\}?")  # `$1` and `${1}`, as in Prometheus relabeling
_NANOSECONDS = 1e-9
_MICROSECONDS = 1e-6
_FAILURES = (InferenceServerException, aiohttp.ClientError, OSError, ValueError, TypeError)


class TritonReader(Protocol):
    async def read(
        self, pod_ip: str, models: Sequence[str]
    ) -> tuple[ModelConfiguration, ...] | Missing:
        """Configuration and statistics of these models (empty: all loaded) on one pod. Never raises."""
        ...


class HttpTritonReader:
    """One short-lived connection per read: pods come and go, and reads are minutes apart."""

    def __init__(self, settings: TritonSettings) -> None:
        self._settings = settings

    async def read(
        self, pod_ip: str, models: Sequence[str]
    ) -> tuple[ModelConfiguration, ...] | Missing:
        address = mapped_address(pod_ip, self._settings.address_rules)
        host = f"[{address}]" if ":" in address else address
        limit = self._settings.timeout_seconds
        try:
            async with asyncio.timeout(4 * limit):
                return await self._read(f"{host}:{self._settings.http_port}", models)
        except (TimeoutError, *_FAILURES) as error:
            return Missing(
                reason=MissingReason.SOURCE_UNREACHABLE,
                detail=f"Triton on port {self._settings.http_port} of the pod: {_cause(error)}; "
                "profiles come from Prometheus counters alone",
            )

    async def _read(
        self, url: str, models: Sequence[str]
    ) -> tuple[ModelConfiguration, ...] | Missing:
        limit = self._settings.timeout_seconds
        async with InferenceServerClient(url, conn_limit=1, conn_timeout=limit) as client:
            loaded = loaded_models(await client.get_model_repository_index())
            absent = [m for m in models if m not in loaded]
            if absent:
                return _not_loaded(absent, loaded)
            return tuple([await _model(client, m) for m in models or loaded])


async def _model(client: InferenceServerClient, model: str) -> ModelConfiguration:
    configuration = await client.get_model_config(model)
    statistics = await client.get_inference_statistics(model)
    return parse_configuration(configuration, statistics)


def _cause(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, InferenceServerException):
        return f"it refused ({error.status() or 'no status'})"
    return "not reachable"


def _not_loaded(absent: Sequence[str], loaded: Sequence[str]) -> Missing:
    return Missing(
        reason=MissingReason.MODEL_NOT_LOADED,
        detail=f"{', '.join(absent)} not loaded; loaded: {', '.join(loaded) or 'none'}",
    )


def mapped_address(address: str, rules: Iterable[AddressRule]) -> str:
    """The address to dial for a pod's address."""
    for rule in rules:
        found = re.fullmatch(rule.pattern, address)
        if found:
            return found.expand(_GROUP.sub(r"\\g<\1>", rule.replacement))
    return address


def loaded_models(index: Any) -> tuple[str, ...]:
    """Names in a repository index that are ready; old servers leave the state out."""
    entries = sequence(index)
    return tuple(
        dict.fromkeys(str(e["name"]) for e in entries if e.get("state", "READY") == "READY")
    )


def parse_configuration(
    configuration: Mapping[str, Any], statistics: Mapping[str, Any]
) -> ModelConfiguration:
    """From `GET /v2/models/M/config` and `/stats`."""
    batching = mapping(configuration.get("dynamic_batching"))
    return ModelConfiguration(
        model=str(configuration.get("name", "")),
        max_batch_size=int(configuration.get("max_batch_size") or 0),
        instances=_instances(configuration),
        decoupled=bool(mapping(configuration.get("model_transaction_policy")).get("decoupled")),
        dynamic_batching="dynamic_batching" in configuration,
        queue_delay_seconds=int(batching.get("max_queue_delay_microseconds") or 0) * _MICROSECONDS,
        queue_policy=_has_queue_policy(batching),
        batch_statistics=_batch_statistics(statistics),
        preferred_batch_sizes=_preferred(configuration, batching),
        sequence_batching="sequence_batching" in configuration,
        ensemble="ensemble_scheduling" in configuration,
        response_cache=bool(mapping(configuration.get("response_cache")).get("enable")),
        rate_limited=_is_rate_limited(configuration),
        version=_version(statistics),
    )


def _version(statistics: Mapping[str, Any]) -> str | Missing:
    """Of those that are loaded."""
    entries = sequence(statistics.get("model_stats"))
    found = {version for entry in entries if (version := str(entry.get("version") or ""))}
    if len(found) > 1:
        return SEVERAL
    return found.pop() if found else UNKNOWN


def _preferred(configuration: Mapping[str, Any], batching: Mapping[str, Any]) -> tuple[int, ...]:
    """Ascending; Triton fills in the largest batch where none is set."""
    sizes = {int(size) for size in batching.get("preferred_batch_size") or ()}
    default = {int(configuration.get("max_batch_size") or 0)}
    return () if sizes <= default else tuple(sorted(sizes))


def _is_rate_limited(configuration: Mapping[str, Any]) -> bool:
    """Whether the server heeds it (`--rate-limit`) cannot be read."""
    groups = sequence(configuration.get("instance_group"))
    return any(mapping(g.get("rate_limiter")).get("resources") for g in groups)


def _instances(configuration: Mapping[str, Any]) -> int:
    """Instances that can run at once: the count holds per listed GPU; passive ones never run."""
    groups = [g for g in sequence(configuration.get("instance_group")) if not g.get("passive")]
    return max(1, sum(_count(g) for g in groups))


def _count(group: Mapping[str, Any]) -> int:
    gpus = len(group.get("gpus") or ()) if group.get("kind") == "KIND_GPU" else 1
    return int(group.get("count") or 1) * max(1, gpus)


def _has_queue_policy(batching: Mapping[str, Any]) -> bool:
    """Whether requests can be refused, time out or overtake: queueing then is not first come, first served."""
    default = mapping(batching.get("default_queue_policy"))
    limits = ("max_queue_size", "default_timeout_microseconds", "allow_timeout_override")
    return (
        any(default.get(k) for k in limits)
        or int(batching.get("priority_levels") or 0) > 0
        or bool(batching.get("priority_queue_policy"))
    )


def _batch_statistics(statistics: Mapping[str, Any]) -> tuple[BatchStatistic, ...]:
    """Executions and mean service time by batch size, over all loaded versions, since the model was loaded."""
    totals: dict[int, tuple[int, float]] = {}
    for model in sequence(statistics.get("model_stats")):
        for entry in sequence(model.get("batch_stats")):
            size = int(entry.get("batch_size") or 0)
            executions, seconds = totals.get(size, (0, 0.0))
            more = int(mapping(entry.get("compute_infer")).get("count") or 0)
            totals[size] = (executions + more, seconds + _service_seconds(entry))
    return tuple(
        BatchStatistic(batch_size=size, executions=n, mean_seconds=seconds / n)
        for size, (n, seconds) in sorted(totals.items())
        if size > 0 and n > 0
    )


def _service_seconds(entry: Mapping[str, Any]) -> float:
    parts = ("compute_input", "compute_infer", "compute_output")
    return sum(int(mapping(entry.get(p)).get("ns") or 0) for p in parts) * _NANOSECONDS
