"""A custom metrics API server (custom.metrics.k8s.io/v1beta2) for one metric of pods.

The total of the Prometheus query is divided evenly among the pods that are Ready; a pod that is
not Ready has no sample, and without a total no pod has. What was served is written down.
"""

import asyncio
import math
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import aiohttp
from aiohttp import web

from e2e.baselines.exporter import QUERY
from e2e.baselines.prometheus_tap import value_of
from e2e.rig.kube import KubeClient, Manifest, condition

GROUP_VERSION = "custom.metrics.k8s.io/v1beta2"
METRIC = "requests_per_second"
_ROOT = f"/apis/{GROUP_VERSION}"

READY, STARTING, PENDING, TERMINATING = "ready", "starting", "pending", "terminating"


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """One answer to the HPA. `per_pod_milli` is None when nobody knew the total."""

    at: float  # Unix time
    namespace: str
    per_pod_milli: int | None
    pods: Counter[str]  # by READY, STARTING (Running, not Ready), PENDING, TERMINATING


class PodsMetrics:
    """Handlers of the API; `served` grows with every answer."""

    def __init__(self, kube: KubeClient, prometheus_url: str, *, query: str = QUERY) -> None:
        self._kube = kube
        self._prometheus_url = prometheus_url
        self._query = query
        self.served: list[Served] = []

    def application(self) -> web.Application:
        application = web.Application()
        application.add_routes(
            [
                web.get(_ROOT, self._resources),
                web.get(f"{_ROOT}/namespaces/{{namespace}}/pods/*/{METRIC}", self._values),
            ]
        )
        application.cleanup_ctx.append(self._hold_session)
        return application

    async def _hold_session(self, _: web.Application) -> AsyncIterator[None]:
        async with aiohttp.ClientSession() as self._session:
            yield

    async def _resources(self, _: web.Request) -> web.Response:
        resource = {
            "name": f"pods/{METRIC}",
            "singularName": "",
            "namespaced": True,
            "kind": "MetricValueList",
            "verbs": ["get"],
        }
        return web.json_response(
            {
                "kind": "APIResourceList",
                "apiVersion": "v1",
                "groupVersion": GROUP_VERSION,
                "resources": [resource],
            }
        )

    async def _values(self, request: web.Request) -> web.Response:
        namespace = request.match_info["namespace"]
        selector = request.query.get("labelSelector", "")
        total, pods = await asyncio.gather(
            self._total(),
            asyncio.to_thread(
                self._kube.list, "v1", "Pod", namespace=namespace, label_selector=selector
            ),
        )
        ready = [pod for pod in pods if stage_of(pod) == READY]
        known = bool(ready) and not math.isnan(total)
        milli = math.floor(total / len(ready) * 1000) if known else None
        self.served.append(
            Served(
                at=time.time(),
                namespace=namespace,
                per_pod_milli=milli,
                pods=Counter(map(stage_of, pods)),
            )
        )
        return _not_found() if milli is None else _metric_values(ready, milli)

    async def _total(self) -> float:
        url = f"{self._prometheus_url}/api/v1/query"
        async with self._session.get(url, params={"query": self._query}) as answer:
            return value_of(await answer.read())


def stage_of(pod: Manifest) -> str:
    """Where a pod is in its life, as the HPA tells pods apart."""
    if "deletionTimestamp" in pod["metadata"]:
        return TERMINATING
    if pod.get("status", {}).get("phase") != "Running":
        return PENDING
    return READY if condition(pod, "Ready") == "True" else STARTING


def _metric_values(pods: list[Manifest], milli: int) -> web.Response:
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    items: list[dict[str, Any]] = [
        {
            "describedObject": {
                "kind": "Pod",
                "namespace": pod["metadata"]["namespace"],
                "name": pod["metadata"]["name"],
                "apiVersion": "/v1",
            },
            "metric": {"name": METRIC},
            "timestamp": now,
            "value": f"{milli}m",
        }
        for pod in pods
    ]
    return web.json_response(
        {"kind": "MetricValueList", "apiVersion": GROUP_VERSION, "metadata": {}, "items": items}
    )


def _not_found() -> web.Response:
    """What the usual adapter says when a series has no samples."""
    status = {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "reason": "NotFound",
        "message": f"no samples of {METRIC}",
        "code": HTTPStatus.NOT_FOUND,
    }
    return web.json_response(status, status=HTTPStatus.NOT_FOUND)
