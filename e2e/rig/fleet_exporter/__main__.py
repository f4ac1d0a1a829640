"""`python -m e2e.rig.fleet_exporter`: simulated servers of one cluster until interrupted.

The first line on stdout, written when all pods are known, is `{"address": "HOST:PORT"}`.
"""

import asyncio
import json
import logging
import time
from pathlib import Path
from typing import Annotated

import typer

from e2e.rig.fleet_exporter.fleet import Fleet
from e2e.rig.fleet_exporter.follow import follow
from e2e.rig.fleet_exporter.server import serve
from e2e.rig.process_node.__main__ import interrupted


def main(
    *,
    kubeconfig: Annotated[Path, typer.Option(help="Kubeconfig of the cluster.")],
    listen: Annotated[str, typer.Option(help="HOST:PORT; port 0 takes a free one.")],
) -> None:
    """Answer for the pods of simulated nodes as real Triton servers would."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    host, _, port = listen.rpartition(":")
    if not host or not port.isdecimal():
        raise typer.BadParameter(f"{listen!r} is not HOST:PORT", param_hint="--listen")
    asyncio.run(_serve(kubeconfig, host, int(port)))


async def _serve(kubeconfig: Path, host: str, port: int) -> None:
    fleet = Fleet(time.monotonic)
    async with serve(fleet, host, port) as address:
        announced = asyncio.Event()

        def announce() -> None:
            if not announced.is_set():
                print(json.dumps({"address": address}), flush=True)
                announced.set()

        following = asyncio.create_task(follow(kubeconfig, fleet, announce))
        stopping = asyncio.create_task(interrupted())
        await asyncio.wait({following, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if following.done():
            following.result()
        following.cancel()
        await asyncio.gather(following, stopping, return_exceptions=True)


if __name__ == "__main__":
    typer.run(main)
