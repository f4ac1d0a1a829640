"""Installs Triton once into the cache, in an environment of its own (its stub needs NumPy 1)."""

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from e2e.rig.cache import cache_folder, exclusive
from e2e.rig.triton.interpreter import Interpreter, NoInterpreterError, find_interpreter

WHEEL_VERSION = "0.7.0"  # carries Triton 2.51.0 (24.10)
NUMPY_VERSION = "1.26.4"  # under NumPy 2 the stub returns empty outputs without an error
# The address the wrapper binds; a container in a cluster has its own network instead.
ADDRESS_VARIABLE = "PROCESS_NODE_ADDRESS"

_WRAPPER = """#!/bin/sh
# tritonserver as its container image has it: own backends, all ports, on this pod's address.
export LD_LIBRARY_PATH="{libraries}"
address="${{{variable}:-127.0.0.1}}"
exec "{server}" --backend-directory="{backends}" --cache-directory="{caches}" "$@" \\
  --http-address="$address" --grpc-address="$address" --metrics-address="$address"
"""


class TritonUnavailableError(RuntimeError):
    """Triton cannot be installed on this machine; the message says what is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TritonInstall:
    """An installed Triton.

    `command_folder` holds a `tritonserver` that takes the arguments of the container image's;
    with `search_path` in front of PATH, models find NumPy as in that image.
    """

    root: Path

    @property
    def command_folder(self) -> Path:
        return self.root / "commands"

    @property
    def search_path(self) -> str:
        return f"{self.command_folder}:{self.root / 'python' / 'bin'}"

    def environment(self, *, address: str) -> dict[str, str]:
        """Variables for a server that listens on `address`, ports 8000, 8001 and 8002."""
        return {"PATH": f"{self.search_path}:{os.defpath}", ADDRESS_VARIABLE: address}


def ensure_triton(report: Callable[[str], None] = print) -> TritonInstall:
    """Return the installed Triton, installing it first where needed (about 55 MB, seconds).

    Raises:
        TritonUnavailableError: other platform than Linux x86-64, no fitting Python, no index.
    """
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        raise TritonUnavailableError("the Triton wheel exists for Linux x86-64 only")
    try:
        interpreter = find_interpreter()
    except NoInterpreterError as error:
        raise TritonUnavailableError(str(error)) from error
    root = cache_folder() / f"triton-{WHEEL_VERSION}-python{interpreter.version}"
    with exclusive(root.with_name(f"{root.name}.lock")):
        if not (root / "complete").exists():
            _install(root, interpreter, report)
    return TritonInstall(root=root)


def _install(root: Path, interpreter: Interpreter, report: Callable[[str], None]) -> None:
    report(f"installing Triton (nvidia-pytriton {WHEEL_VERSION}, 55 MB) into {root}")
    shutil.rmtree(root, ignore_errors=True)
    environment = root / "python"
    _run([str(interpreter.executable), "-m", "venv", "--without-pip", str(environment)])
    wheels = [f"nvidia-pytriton=={WHEEL_VERSION}", f"numpy=={NUMPY_VERSION}"]
    # Without dependencies: PyTriton's own Python wrapper is not used.
    _run([*_installer(environment, interpreter.version), "--no-deps", *wheels])
    _arrange(root, environment / "lib" / f"python{interpreter.version}", interpreter)
    (root / "complete").touch()
    report("Triton is installed")


def _installer(environment: Path, version: str) -> list[str]:
    uv = cache_folder() / "uv" / "bin" / "uv"
    found = str(uv) if uv.exists() else shutil.which("uv")
    if found:
        return [found, "pip", "install", "--python", str(environment / "bin" / "python")]
    target = environment / "lib" / f"python{version}" / "site-packages"
    pip = [sys.executable, "-m", "pip", "install", "--target", str(target)]
    return [*pip, "--python-version", version, "--only-binary=:all:"]


def _arrange(root: Path, library: Path, interpreter: Interpreter) -> None:
    """Give the Python backend the stub of this Python, and write the wrapper."""
    packages = library / "site-packages"
    wheel = packages / "pytriton" / "tritonserver"
    backend = wheel / "backends" / "python"
    stub = "triton_python_backend_stub"
    shutil.copy(wheel / "python_backend_stubs" / interpreter.version / stub, backend / stub)
    server = wheel / "bin" / "tritonserver"
    for program in (server, backend / stub):
        program.chmod(0o755)
    wrapper = root / "commands" / "tritonserver"
    wrapper.parent.mkdir()
    wrapper.write_text(
        _WRAPPER.format(
            libraries=f"{interpreter.library_folder}:{packages / 'nvidia_pytriton.libs'}",
            variable=ADDRESS_VARIABLE,
            server=server,
            backends=wheel / "backends",
            caches=wheel / "caches",
        )
    )
    wrapper.chmod(0o755)


def _run(command: list[str]) -> None:
    outcome = subprocess.run(command, check=False)
    if outcome.returncode != 0:
        raise TritonUnavailableError(f"{' '.join(command)} failed with code {outcome.returncode}")
