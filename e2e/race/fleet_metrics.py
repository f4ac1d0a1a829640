"""The two gauges of kube-state-metrics that llm-d's law reads, of one Deployment, under their own names."""

import asyncio

from aiohttp import web

from e2e.rig.kube import KubeClient, Manifest

_CONTENT_TYPE = "text/plain; version=0.0.4"


def fleet_metrics(kube: KubeClient, *, namespace: str, name: str) -> web.Application:
    """Make the application with GET /metrics."""

    async def metrics(_: web.Request) -> web.Response:
        found = await asyncio.to_thread(
            kube.get, "apps/v1", "Deployment", name, namespace=namespace
        )
        return web.Response(text=exposition(found), headers={"Content-Type": _CONTENT_TYPE})

    application = web.Application()
    application.add_routes([web.get("/metrics", metrics)])
    return application


def exposition(deployment: Manifest) -> str:
    metadata = deployment["metadata"]
    labels = f'{{namespace="{metadata["namespace"]}",deployment="{metadata["name"]}"}}'
    ready = deployment.get("status", {}).get("readyReplicas", 0)
    return (
        f"kube_deployment_spec_replicas{labels} {deployment['spec']['replicas']}\n"
        f"kube_deployment_status_replicas_ready{labels} {ready}\n"
    )
