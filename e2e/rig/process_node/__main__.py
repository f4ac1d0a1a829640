"""`python -m e2e.rig.process_node`: one or more nodes until interrupted."""

import asyncio
import logging
import shlex
import signal
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from e2e.rig.addresses import PodRange
from e2e.rig.process_node.host import ProcessNodeHost, detect_mount_namespaces
from e2e.rig.process_node.images import ImageTable, Program, default_images
from e2e.rig.process_node.kubernetes_api import KubernetesApi, read_kubeconfig
from e2e.rig.process_node.node_object import NodeSpec
from e2e.rig.process_node.settings import NodeSettings


def main(
    *,
    kubeconfig: Annotated[Path, typer.Option(help="Kubeconfig of the cluster.")],
    pod_octet: Annotated[int, typer.Option(help="Second octet of the cluster's pod addresses.")],
    state: Annotated[Path, typer.Option(help="Folder for logs and volumes.")],
    name: Annotated[list[str], typer.Option(help="Name of a node; may be repeated.")],
    label: Annotated[list[str] | None, typer.Option(help="key=value, on every node.")] = None,
    image: Annotated[
        list[str] | None,
        typer.Option(help="NAME=COMMAND: what stands for another image; may be repeated."),
    ] = None,
    gpus: Annotated[int, typer.Option(help="nvidia.com/gpu of each node.")] = 0,
    lease_seconds: Annotated[float, typer.Option(help="Time between Lease renewals.")] = 2.0,
) -> None:
    """Register nodes whose pods run as processes of this machine."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    labels = dict(entry.split("=", 1) for entry in label or ())
    specs = [NodeSpec(name=each, labels=labels, gpus=gpus) for each in name]
    folder = state.absolute()
    settings = NodeSettings(
        pods=PodRange(octet=pod_octet),
        images=_images(image or ()),
        state_folder=folder,
        mount_namespaces=asyncio.run(detect_mount_namespaces(folder)),
        lease_seconds=lease_seconds,
    )
    asyncio.run(_serve(kubeconfig, settings, specs))


def _images(commands: Iterable[str]) -> ImageTable:
    images = default_images()
    for entry in commands:
        name, _, command = entry.partition("=")
        images = images.with_program(name, Program(entrypoint=tuple(shlex.split(command))))
    return images


async def _serve(kubeconfig: Path, settings: NodeSettings, specs: list[NodeSpec]) -> None:
    async with (
        KubernetesApi(read_kubeconfig(kubeconfig)) as api,
        ProcessNodeHost(api, settings) as host,
    ):
        await asyncio.gather(*(host.add(spec) for spec in specs))
        await interrupted()


async def interrupted() -> None:
    """Return on SIGINT or SIGTERM."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()


if __name__ == "__main__":
    typer.run(main)
