"""Run a program that the kernel kills when the process that started it dies.

Used as ``python -I -S die_with_parent.py PARENT_PID PROGRAM ARGUMENT...``: asks for the signal,
checks that the parent is still there, and becomes the program. Nothing runs between fork and exec
in the (possibly threaded) parent, so it is safe where a ``preexec_fn`` is not. Standard library
only: it must start fast.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    parent, program = int(sys.argv[1]), sys.argv[2:]
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        sys.exit(f"prctl(PR_SET_PDEATHSIG): {os.strerror(ctypes.get_errno())}")
    if os.getppid() != parent:  # it died before the request above took effect
        sys.exit("the starting process is gone")
    try:
        os.execvp(program[0], program)  # noqa: S606  # becoming the program is the purpose
    except OSError as error:
        print(f"{program[0]}: {error.strerror}", file=sys.stderr)
        sys.exit(127)


if __name__ == "__main__":
    main()
