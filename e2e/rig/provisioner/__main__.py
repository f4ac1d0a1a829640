"""`python -m e2e.rig.provisioner`: a provisioner and its process nodes until interrupted."""

import asyncio
import logging
from pathlib import Path
from typing import Annotated

import typer

from e2e.rig.addresses import PodRange
from e2e.rig.process_node.__main__ import interrupted
from e2e.rig.process_node.host import ProcessNodeHost, detect_mount_namespaces
from e2e.rig.process_node.images import default_images
from e2e.rig.process_node.kubernetes_api import KubernetesApi, read_kubeconfig
from e2e.rig.process_node.settings import NodeSettings
from e2e.rig.provisioner import Provisioner, ProvisionerSettings, load_pools


def main(
    *,
    kubeconfig: Annotated[Path, typer.Option(help="Kubeconfig of the cluster.")],
    pod_octet: Annotated[int, typer.Option(help="Second octet of the cluster's pod addresses.")],
    state: Annotated[Path, typer.Option(help="Folder for logs, volumes, node-lifetimes.csv.")],
    pools: Annotated[Path, typer.Option(help="YAML file with pools and staticNodes.")],
    empty_seconds: Annotated[float, typer.Option(help="Empty nodes go after this time.")] = 10.0,
    lease_seconds: Annotated[float, typer.Option(help="Time between Lease renewals.")] = 2.0,
) -> None:
    """Launch priced nodes for GPU pods that find no room; their pods run as local processes."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    folder = state.absolute()
    provisioning = ProvisionerSettings(
        pools=load_pools(pools),
        lifetimes_file=folder / "node-lifetimes.csv",
        empty_seconds=empty_seconds,
    )
    nodes = NodeSettings(
        pods=PodRange(octet=pod_octet),
        images=default_images(),
        state_folder=folder,
        mount_namespaces=asyncio.run(detect_mount_namespaces(folder)),
        lease_seconds=lease_seconds,
    )
    asyncio.run(_serve(kubeconfig, nodes, provisioning))


async def _serve(kubeconfig: Path, nodes: NodeSettings, provisioning: ProvisionerSettings) -> None:
    async with (
        KubernetesApi(read_kubeconfig(kubeconfig)) as api,
        ProcessNodeHost(api, nodes) as host,
        Provisioner(api, host, provisioning),
    ):
        await interrupted()


if __name__ == "__main__":
    typer.run(main)
