"""Free TCP ports of 127.0.0.1 that two clusters on one machine never get both."""

import errno
import random
import socket
from collections.abc import Iterator
from contextlib import contextmanager

# Below what Linux hands out for outgoing connections, so that none of those takes a claimed port.
FIRST_PORT, LAST_PORT = 20_000, 32_000
ATTEMPTS = 200


class NoFreePortError(RuntimeError):
    """No free port was found."""


class PortClaims:
    """Ports claimed until `release` or the end of this process.

    The claim is a lock among rigs; a foreign program may still take the port before it is bound,
    so whoever binds must be ready to try again with another.
    """

    def __init__(self) -> None:
        self._locks: list[socket.socket] = []

    def claim(self) -> int:
        """Give a port that is free now.

        Raises:
            NoFreePortError: none was found in many attempts.
        """
        for _ in range(ATTEMPTS):
            port = random.randint(FIRST_PORT, LAST_PORT)
            lock = lock_name(f"port-{port}")
            if lock is None:
                continue
            if _bindable(port):
                self._locks.append(lock)
                return port
            lock.close()
        raise NoFreePortError(f"no free port between {FIRST_PORT} and {LAST_PORT} on 127.0.0.1")

    def release(self) -> None:
        while self._locks:
            self._locks.pop().close()


@contextmanager
def claimed_ports() -> Iterator[PortClaims]:
    """Claims that end with the context."""
    ports = PortClaims()
    try:
        yield ports
    finally:
        ports.release()


def lock_name(name: str) -> socket.socket | None:
    """Lock a name on this machine; None when another process or this one holds it.

    An abstract Unix socket: scoped to the network namespace as ports are, needs no right, leaves
    no file, and the kernel frees it when the holder dies.
    """
    lock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        lock.bind(f"\0inference-cost-rig-{name}")
    except OSError as error:
        lock.close()
        if error.errno == errno.EADDRINUSE:
            return None
        raise
    return lock


def _bindable(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
