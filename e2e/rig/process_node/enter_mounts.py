"""Run a program in its own mount namespace, a pod's volumes at their paths.

Used as ``python -I -S enter_mounts.py PARENT_PID SPECIFICATION PROGRAM ARGUMENT...`` where
SPECIFICATION is JSON: ``{"hostname": ..., "root": an empty folder of this pod's own,
"volumes": [{"source": ..., "target": ..., "readOnly": ...}, ...]}``. The program sees the host's
file system with the volumes on top; nothing on the host changes, mount points that do not exist
there are made inside the namespace alone. Standard library only: it must start fast.
"""

import ctypes
import json
import os
import signal
import socket
import sys
from pathlib import Path

CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWUSER = 0x00020000, 0x04000000, 0x10000000
MS_RDONLY, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 0x1, 0x20, 0x1000, 0x4000, 0x40000
MS_RELATIME = 0x200000
PR_SET_PDEATHSIG = 1
NO_RIGHT = 126

LIBC = ctypes.CDLL(None, use_errno=True)


def main() -> None:
    parent, specification, program = int(sys.argv[1]), json.loads(sys.argv[2]), sys.argv[3:]
    directory = Path.cwd()
    try:
        enter_namespace(specification["hostname"])
        Root(Path(specification["root"])).assemble(specification["volumes"])
    except OSError as error:
        print(f"no mount namespace: {error}", file=sys.stderr)
        sys.exit(NO_RIGHT)
    os.chdir(directory)
    _die_with(parent)
    try:
        os.execvp(program[0], program)  # noqa: S606  # becoming the program is the purpose
    except OSError as error:
        print(f"{program[0]}: {error.strerror}", file=sys.stderr)
        sys.exit(127)


def enter_namespace(hostname: str) -> None:
    """Enter new user, mount and host name namespaces as root (what ``unshare -rmu`` does)."""
    user, group = os.geteuid(), os.getegid()
    if LIBC.unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWUTS) == 0:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"0 {user} 1")
        Path("/proc/self/gid_map").write_text(f"0 {group} 1")
    elif LIBC.unshare(CLONE_NEWNS | CLONE_NEWUTS) != 0:
        _fail("unshare")
    mount("none", Path("/"), MS_REC | MS_PRIVATE)
    socket.sethostname(hostname)


class Root:
    """A root of bind mounts, assembled in a folder that then becomes the root."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def assemble(self, volumes: list[dict[str, object]]) -> None:
        mount("tmpfs", self.folder, kind="tmpfs")
        mirror(Path("/"), self.folder)
        for volume in volumes:
            source, read_only = Path(str(volume["source"])), bool(volume["readOnly"])
            self.place(source, str(volume["target"]), read_only=read_only)
        os.chroot(self.folder)
        os.chdir("/")

    def place(self, source: Path, target: str, *, read_only: bool) -> None:
        point = self.make_mount_point(target, directory=source.is_dir())
        mount(str(source), point, MS_BIND | MS_REC)
        if read_only:
            mount("none", point, MS_BIND | MS_REMOUNT | MS_RDONLY | kept_flags(point))

    def make_mount_point(self, target: str, *, directory: bool) -> Path:
        """Return the place of `target` in the new root, making what is missing on the way."""
        path = self.folder
        parts = [part for part in target.split("/") if part]
        for position, part in enumerate(parts):
            path = self.resolve(path / part)
            if path.exists():
                continue
            self.make_writable(path.parent)
            if directory or position < len(parts) - 1:
                path.mkdir()
            else:
                path.touch()
        return path

    def resolve(self, path: Path) -> Path:
        """Follow a symbolic link as the program will, that is inside the new root."""
        while path.is_symlink():
            link = path.readlink()
            inside = self.folder / str(link).lstrip("/") if link.is_absolute() else None
            path = Path(os.path.normpath(inside or path.parent / link))
        return path

    def make_writable(self, folder: Path) -> None:
        """Cover a folder of the host by one of ours with the same entries, to add some to it."""
        if folder.stat().st_dev == self.folder.stat().st_dev:
            return
        entries = os.open(folder, os.O_PATH)
        mount("tmpfs", folder, kind="tmpfs")
        mirror(Path(f"/proc/self/fd/{entries}"), folder)
        os.close(entries)


def mirror(source: Path, target: Path) -> None:
    """Bind every entry of `source` at the same name in `target`."""
    for entry in source.iterdir():
        point = target / entry.name
        if entry.is_symlink():
            point.symlink_to(entry.readlink())
            continue
        if entry.is_dir():
            point.mkdir()
        else:
            point.touch()
        mount(str(entry), point, MS_BIND | MS_REC)


def mount(source: str, target: Path, flags: int = 0, *, kind: str = "none") -> None:
    if LIBC.mount(source.encode(), bytes(target), kind.encode(), flags, None) != 0:
        _fail(f"mount {source} on {target}")


def kept_flags(point: Path) -> int:
    """Return the flags of a mount that a user namespace must not drop when remounting."""
    flags = os.statvfs(point).f_flag
    kept = flags & (os.ST_NOSUID | os.ST_NODEV | os.ST_NOEXEC | os.ST_NOATIME | os.ST_NODIRATIME)
    return kept | (MS_RELATIME if flags & os.ST_RELATIME else 0)


def _die_with(parent: int) -> None:
    # Asked for again: entering a user namespace may clear the request made before.
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit("the starting process is gone")


def _fail(action: str) -> None:
    code = ctypes.get_errno()
    raise OSError(code, f"{action}: {os.strerror(code)}")


if __name__ == "__main__":
    main()
