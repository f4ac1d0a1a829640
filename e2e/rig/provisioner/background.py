"""A provisioner for blocking code, in the thread of `ProcessNodes`."""

from collections.abc import Iterator
from contextlib import contextmanager

from e2e.rig.process_node.background import ProcessNodes
from e2e.rig.provisioner.provisioner import Provisioner, ProvisionerSettings


@contextmanager
def provisioning(nodes: ProcessNodes, settings: ProvisionerSettings) -> Iterator[Provisioner]:
    """Run a provisioner until the end of the block; its nodes stay.

    Its coroutines (`reclaim`) are for `nodes.call`.
    """

    async def start() -> Provisioner:
        return await Provisioner(nodes.api, nodes.host, settings).__aenter__()

    provisioner = nodes.call(start())
    try:
        yield provisioner
    finally:
        nodes.call(provisioner.__aexit__())
