"""Who listens on a port.

A program of this machine that binds 0.0.0.0 also answers on a pod's address, and would pass the
pod's probes until the pod's own process binds the port.
"""

from collections.abc import Iterator

import psutil

WILDCARDS = frozenset({"0.0.0.0", "::"})  # compared with, not bound


def tree_listens(pid: int, *, address: str, port: int) -> bool:
    """Whether a process or one of its descendants listens on the port of this address."""
    return any(
        bound == port and (host == address or host in WILDCARDS) for host, bound in _listeners(pid)
    )


def _listeners(pid: int) -> set[tuple[str, int]]:
    found: set[tuple[str, int]] = set()
    for process in _tree(pid):
        try:
            connections = process.net_connections(kind="tcp")
        except psutil.Error:  # just ended
            continue
        found |= {
            (connection.laddr.ip, connection.laddr.port)
            for connection in connections
            if connection.status == psutil.CONN_LISTEN
        }
    return found


def _tree(pid: int) -> Iterator[psutil.Process]:
    try:
        process = psutil.Process(pid)
        yield process
        yield from process.children(recursive=True)
    except psutil.NoSuchProcess:
        return
