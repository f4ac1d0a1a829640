"""A network namespace with loopback only, for this process and its children.

KEDA's metrics adapter serves its own /metrics on every address of the machine, and no flag changes
that. Here nobody outside can reach it.
"""

import ctypes
import fcntl
import os
import socket
import struct
from pathlib import Path

_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_SIOCSIFFLAGS = 0x8914
_INTERFACE_UP = 0x1


class NoPrivateNetworkError(RuntimeError):
    """The kernel does not let this user make a network namespace."""


def enter_private_network() -> None:
    """Move this process into a new network namespace; call it before any thread is started.

    Raises:
        NoPrivateNetworkError: see there.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    user, group = os.geteuid(), os.getegid()
    if libc.unshare(_CLONE_NEWNET) != 0:
        if libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET) != 0:
            raise NoPrivateNetworkError(
                f"no network namespace of its own: {os.strerror(ctypes.get_errno())}; "
                "run as root, or allow user namespaces"
            )
        _keep_identity(user, group)
    _bring_loopback_up()


def _keep_identity(user: int, group: int) -> None:
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{group} {group} 1")


def _bring_loopback_up() -> None:
    request = struct.pack("16sh14x", b"lo", _INTERFACE_UP)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as handle:
        fcntl.ioctl(handle, _SIOCSIFFLAGS, request)
