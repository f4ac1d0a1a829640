"""Children of the rig end with it, whatever happens to it."""

import os
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import psutil
import pytest

from e2e.rig.processes import Command, ProcessError, ProcessGroup, start

SLEEP = ("sleep", "300")
DEADLINE_SECONDS = 10.0


def can_unshare() -> bool:
    unshare = shutil.which("unshare")
    return bool(unshare) and subprocess.run(["unshare", "-rm", "true"], check=False).returncode == 0


# A mount namespace of its own, as process nodes use it, must not lose the kernel's death signal.
WRAPPERS = [(), ("unshare", "-rm")] if can_unshare() else [()]


def gone(pid: int) -> bool:
    """Whether the process has ended (a zombie waiting for its parent counts as ended)."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not gone(pid):
        assert time.monotonic() < deadline, f"process {pid} is still there"
        time.sleep(0.01)


def read_lines(log: Path, count: int) -> list[str]:
    """Wait for `count` whole lines in a log."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not (log.exists() and log.read_text().count("\n") >= count):
        assert time.monotonic() < deadline, f"{log} has no {count} lines"
        time.sleep(0.01)
    return log.read_text().splitlines()


def test_a_child_that_heeds_sigterm_is_stopped_gently(tmp_path: Path) -> None:
    child = start(Command(name="sleep", arguments=SLEEP, log=tmp_path / "log"))
    assert child.running
    assert child.stop() == -signal.SIGTERM
    assert not child.running
    assert gone(child.pid)
    assert child.stop() == -signal.SIGTERM, "stopping twice is harmless"


def test_a_child_that_ignores_sigterm_is_killed_with_its_own_children(tmp_path: Path) -> None:
    script = "trap '' TERM; sleep 300 & echo $!; wait; sleep 300"
    child = start(Command(name="stubborn", arguments=("sh", "-c", script), log=tmp_path / "log"))
    grandchild = int(read_lines(tmp_path / "log", 1)[0])
    assert child.stop(grace_seconds=0.2) == -signal.SIGKILL
    wait_until_gone(grandchild)


def test_what_a_gentle_child_leaves_in_its_group_is_killed(tmp_path: Path) -> None:
    script = "sleep 300 & echo $!; wait"
    child = start(Command(name="careless", arguments=("sh", "-c", script), log=tmp_path / "log"))
    grandchild = int(read_lines(tmp_path / "log", 1)[0])
    child.stop()
    wait_until_gone(grandchild)


def test_children_stop_in_reverse_order(tmp_path: Path) -> None:
    script = 'trap "echo $0 >> order; exit 0" TERM; echo up; while :; do sleep 0.02; done'
    with ProcessGroup() as group:
        for name in ("first", "second"):
            log = tmp_path / f"{name}.log"
            arguments = ("sh", "-c", script, name)
            group.start(Command(name=name, arguments=arguments, log=log, directory=tmp_path))
            read_lines(log, 1)
    assert (tmp_path / "order").read_text().split() == ["second", "first"]


def test_a_program_that_does_not_exist_is_named(tmp_path: Path) -> None:
    command = Command(name="typo", arguments=("/no/such/program",), log=tmp_path / "log")
    child = start(command)
    assert child.wait(timeout_seconds=DEADLINE_SECONDS)
    with pytest.raises(ProcessError, match="/no/such/program: No such file"):
        child.fail_if_ended()
    assert child.stop() == 127


def test_a_child_outlives_the_thread_that_asked_for_it(tmp_path: Path) -> None:
    started = []
    command = Command(name="sleep", arguments=SLEEP, log=tmp_path / "log")
    thread = threading.Thread(target=lambda: started.append(start(command)))
    thread.start()
    thread.join()
    time.sleep(0.2)
    assert started[0].running
    started[0].stop()


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_children_die_when_the_rig_is_killed(tmp_path: Path, wrapper: tuple[str, ...]) -> None:
    program = f"""
        import threading
        from pathlib import Path
        from e2e.rig.processes import Command, start
        def one(n):
            print(start(Command(name=str(n), arguments={(*wrapper, *SLEEP)!r},
                                log=Path({str(tmp_path)!r}) / str(n))).pid, flush=True)
        one(0)
        threading.Thread(target=one, args=(1,)).start()
        threading.Event().wait()
    """
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)], stdout=subprocess.PIPE, text=True
    ) as rig:
        assert rig.stdout is not None
        children = [int(rig.stdout.readline()) for _ in range(2)]
        time.sleep(0.3)  # past the launcher, in the program itself
        assert not any(gone(child) for child in children)
        os.kill(rig.pid, signal.SIGKILL)
        rig.wait()
        for child in children:
            wait_until_gone(child)
