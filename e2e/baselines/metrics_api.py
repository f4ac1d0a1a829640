"""How the API server reaches `PodsMetrics`, so that a HorizontalPodAutoscaler has something to go by."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager

from e2e.baselines.aggregation import aggregated_api, wait_until_available
from e2e.baselines.pods_metrics import GROUP_VERSION, PodsMetrics
from e2e.baselines.serving import ServingThread, Site
from e2e.rig.certificates import Certificates, add_peer_certificate
from e2e.rig.cluster import Cluster
from e2e.rig.kube import KubeClient
from e2e.rig.ports import claimed_ports

NAMESPACE, NAME = "metrics", "pods-metrics"


def tls_of(cluster: Cluster) -> ssl.SSLContext:
    """With a certificate of the cluster's CA; once per cluster."""
    made = Certificates(folder=cluster.ca_file.parent)
    add_peer_certificate(made, NAME)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(made.certificate(NAME), made.key(NAME))
    return context


def install(kube: KubeClient, port: int) -> None:
    """Tell the API server where it is, and wait until it is reached."""
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    api = aggregated_api(GROUP_VERSION, service=NAME, namespace=NAMESPACE, port=port)
    kube.apply(namespace, *api)
    wait_until_available(kube, GROUP_VERSION)


@contextmanager
def serving(kube: KubeClient, cluster: Cluster, query: str) -> Iterator[None]:
    """The total of a Prometheus query, shared by the pods, for the length of a with block.

    An API that is told of and does not answer keeps namespaces from being deleted: it is taken back first.
    """
    assert cluster.prometheus_url
    metrics = PodsMetrics(kube, cluster.prometheus_url, query=query)
    group, version = GROUP_VERSION.split("/")
    with claimed_ports() as ports:
        port = ports.claim()
        site = Site(application=metrics.application(), port=port, tls=tls_of(cluster))
        with ServingThread((site,)):
            try:
                install(kube, port)
                yield
            finally:
                kube.delete("apiregistration.k8s.io/v1", "APIService", f"{version}.{group}")
                kube.delete("v1", "Namespace", NAMESPACE)
