"""API groups served by a process on loopback, through the API server's aggregation layer."""

from e2e.rig.kube import KubeClient, Manifest, condition, wait_for

AVAILABLE_SECONDS = 60.0


def aggregated_api(
    group_version: str, *, service: str, namespace: str, port: int
) -> tuple[Manifest, Manifest]:
    """Service and APIService of a server at 127.0.0.1:port.

    Endpoints on loopback are refused, and there is no kube-proxy; a name that resolves to loopback
    needs neither.
    """
    group, version = group_version.split("/")
    return (
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": service, "namespace": namespace},
            "spec": {
                "type": "ExternalName",
                "externalName": "localhost",
                "ports": [{"name": "https", "port": port}],
            },
        },
        {
            "apiVersion": "apiregistration.k8s.io/v1",
            "kind": "APIService",
            "metadata": {"name": f"{version}.{group}"},
            "spec": {
                "group": group,
                "version": version,
                "service": {"name": service, "namespace": namespace, "port": port},
                "insecureSkipTLSVerify": True,
                "groupPriorityMinimum": 100,
                "versionPriority": 100,
            },
        },
    )


def wait_until_available(kube: KubeClient, group_version: str) -> None:
    """Wait until the API server reaches the process.

    Raises:
        TimeoutError: it does not.
    """
    group, version = group_version.split("/")
    name = f"{version}.{group}"

    def available() -> bool:
        found = kube.get("apiregistration.k8s.io/v1", "APIService", name)
        return condition(found, "Available") == "True"

    wait_for(available, timeout_seconds=AVAILABLE_SECONDS, what=f"APIService {name}")
