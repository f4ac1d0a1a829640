"""The real KEDA on the cluster of the scenarios: once, however many stories want it."""

import threading
from typing import Final

from e2e.baselines import keda
from e2e.baselines.aggregation import wait_until_available
from e2e.rig.binaries import KEDA_BINARIES, ensure
from e2e.rig.ports import claimed_ports
from e2e.rig.stack import Stack

_ONE_AT_A_TIME: Final = threading.Lock()


def ensure_keda(stack: Stack) -> None:
    """Start operator and metrics adapter, which end with the stack."""
    definitions, binaries = keda.definitions(), ensure(*KEDA_BINARIES)
    with _ONE_AT_A_TIME, claimed_ports() as claimed:
        if stack.kube.find("v1", "Namespace", keda.NAMESPACE) is None:
            ports = keda.KedaPorts.claim(claimed)
            keda.install(stack.kube, definitions, ports)
            keda.start(stack.processes, stack.cluster, binaries, ports)
        wait_until_available(stack.kube, keda.EXTERNAL_METRICS)
