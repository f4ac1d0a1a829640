"""Which program stands for which image."""

import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from e2e.rig.cache import cache_folder
from e2e.rig.triton import ensure_triton
from e2e.rig.triton.install import ADDRESS_VARIABLE

_REPOSITORY = Path(__file__).parents[3]


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What an image holds: its entry point, and where its commands are found.

    `address_variable` tells the program which address is the pod's own: in a cluster it would
    bind all addresses, here it shares the machine with other pods.
    """

    entrypoint: tuple[str, ...]
    search_path: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    address_variable: str = ADDRESS_VARIABLE

    def command(self, container: Mapping[str, Sequence[str]]) -> list[str]:
        """Return the command line: a container's `command` replaces the entry point."""
        return [*(container.get("command") or self.entrypoint), *(container.get("args") or ())]

    def base_environment(self, *, address: str) -> dict[str, str]:
        """Return what the image itself sets; nothing of the host's environment leaks in."""
        path = f"{self.search_path}:{os.defpath}" if self.search_path else os.defpath
        return {"PATH": path, self.address_variable: address, **self.environment}


@dataclass(frozen=True, slots=True)
class ImageTable:
    """Programs by the last part of an image's name: registry, tag and digest do not count."""

    programs: Mapping[str, Program]

    def find(self, image: str) -> Program | None:
        return self.programs.get(base_name(image))

    def with_program(self, name: str, program: Program) -> "ImageTable":
        return ImageTable({**self.programs, name: program})


def base_name(image: str) -> str:
    """Return e.g. `tritonserver` for `example.org:5000/nvidia/tritonserver:24.10-py3`."""
    return image.partition("@")[0].rpartition("/")[2].partition(":")[0]


def default_images() -> ImageTable:
    """Return the table with the real Triton (installed when needed) and this checkout's operator."""
    return ImageTable(
        {
            "tritonserver": triton_program(),
            "inference-cost-operator": operator_program(),
            "pause": Program(entrypoint=("sleep", "infinity")),
        }
    )


def triton_program() -> Program:
    # Like the real image's entry point, the shell runs what the container's args say.
    return Program(entrypoint=(), search_path=ensure_triton().search_path)


def operator_program() -> Program:
    python = Path(sys.executable)
    return Program(
        entrypoint=(str(python), "-m", "inference_cost.control.main"),
        search_path=str(python.parent),
        environment={
            "PYTHONPATH": str(_REPOSITORY / "operator"),
            "PYTHONUNBUFFERED": "1",
            # Machine code is kept between pods: each would else compile for half a minute.
            "XDG_CACHE_HOME": str(cache_folder().parent),
        },
        address_variable="INFERENCE_COST_HTTP__HOST",
    )


def python_program(*arguments: str) -> Program:
    """Return a program run by this Python, for small test images."""
    return Program(entrypoint=(sys.executable, "-u", *arguments))


def resolve(command: Sequence[str], path: str) -> list[str]:
    """Return the command line with its program found on `path`.

    A path that only the image has, such as /opt/tritonserver/bin/tritonserver, is found by name.
    """
    program = command[0]
    if program.startswith("/") and not Path(program).exists():
        program = Path(program).name
    return [shutil.which(program, path=path) or program, *command[1:]]
