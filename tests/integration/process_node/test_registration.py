"""A node that comes back under its name."""

from e2e.rig.cluster import Cluster
from e2e.rig.kube import KubeClient, wait_for
from e2e.rig.process_node.background import ProcessNodes
from e2e.rig.process_node.node_object import NodeSpec
from tests.integration.process_node.conftest import wait_until_schedulable
from tests.integration.process_node.pods import TAINT

SPEC = NodeSpec(name="process-tests-again", taints=[TAINT])


def test_node_removed_and_added_again_at_once_has_a_lease_of_its_own(
    nodes: ProcessNodes, kube: KubeClient, cluster: Cluster
) -> None:
    # The garbage collector is removing the Lease of the deleted node meanwhile.
    for _ in range(5):
        nodes.add(SPEC)
        nodes.remove(SPEC.name)
    nodes.add(SPEC)
    wait_until_schedulable(cluster, SPEC.name)
    uid = kube.get("v1", "Node", SPEC.name)["metadata"]["uid"]

    def own_lease() -> bool:
        lease = kube.find("coordination.k8s.io/v1", "Lease", SPEC.name, namespace="kube-node-lease")
        return lease is not None and lease["metadata"]["ownerReferences"][0]["uid"] == uid

    wait_for(own_lease, timeout_seconds=10, what="the node's own Lease")
    nodes.remove(SPEC.name)


def test_lease_that_someone_deleted_comes_back(
    nodes: ProcessNodes, kube: KubeClient, cluster: Cluster
) -> None:
    nodes.add(SPEC)
    wait_until_schedulable(cluster, SPEC.name)
    api, namespace = "coordination.k8s.io/v1", "kube-node-lease"
    kube.delete(api, "Lease", SPEC.name, namespace=namespace)
    wait_for(
        lambda: kube.find(api, "Lease", SPEC.name, namespace=namespace) is not None,
        timeout_seconds=10,
        what="the Lease to be back",
    )
    nodes.remove(SPEC.name)
