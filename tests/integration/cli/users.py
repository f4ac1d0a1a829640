"""ServiceAccounts with given rights, as somebody who runs the command."""

import json
from pathlib import Path

from e2e.rig.cluster import Cluster
from e2e.rig.kube import KubeClient, Manifest, wait_for

RBAC = "rbac.authorization.k8s.io"


def user(cluster: Cluster, kube: KubeClient, name: str, folder: Path, *roles: str) -> Path:
    """A kubeconfig of a new ServiceAccount, bound cluster-wide to these ClusterRoles."""
    account: Manifest = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name}}
    kube.apply(account, namespace="default")
    for role in roles:
        kube.apply(
            {
                "apiVersion": f"{RBAC}/v1",
                "kind": "ClusterRoleBinding",
                "metadata": {"name": f"{name}-{role}"},
                "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": role},
                "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": "default"}],
            }
        )
    wait_for(
        lambda: kube.find("v1", "ServiceAccount", name, namespace="default"),
        timeout_seconds=15,
        what=f"the ServiceAccount {name}",
    )
    file = folder / f"{name}.kubeconfig"
    file.write_text(_content(cluster, kube.service_account_token(name, namespace="default")))
    return file


def _content(cluster: Cluster, token: str) -> str:
    server = {"server": cluster.api_url, "certificate-authority": str(cluster.ca_file)}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "users": [{"name": "u", "user": {"token": token}}],
        "clusters": [{"name": "c", "cluster": server}],
    }
    return json.dumps(config)
