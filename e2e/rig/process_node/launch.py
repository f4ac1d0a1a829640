"""The command line of a container's process, with its volumes in place."""

import asyncio
import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from e2e.rig.process_node.enter_mounts import NO_RIGHT
from e2e.rig.process_node.images import resolve

ENTER_MOUNTS = Path(__file__).with_name("enter_mounts.py")


@dataclass(frozen=True, kw_only=True)
class Launch:
    """How to start programs of one container.

    With `isolated` they get a mount namespace; without that right, paths of volumes in arguments
    and variables are replaced by the folders that hold them.
    """

    command: Sequence[str]
    environment: Mapping[str, str]
    mounts: Sequence[Mapping[str, Any]]
    hostname: str
    root_folder: Path
    directory: Path
    isolated: bool

    @cached_property
    def effective_environment(self) -> dict[str, str]:
        return {key: self._relocated(value) for key, value in self.environment.items()}

    def arguments(self, command: Sequence[str] | None = None) -> list[str]:
        """Return the command line for `command`, by default the container's own."""
        program = resolve(command or self.command, self.environment["PATH"])
        if not self.isolated:
            return [self._relocated(part) for part in program]
        specification = {
            "hostname": self.hostname,
            "root": str(self.root_folder),
            "volumes": list(self.mounts),
        }
        return [*_enter(json.dumps(specification)), *program]

    async def execute(self, command: list[str]) -> int:
        """Run a probe or hook beside the container's process and return its exit code."""
        process = await asyncio.create_subprocess_exec(
            *self.arguments(command),
            env=self.effective_environment,
            cwd=self.directory,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            return await process.wait()
        except asyncio.CancelledError:
            process.kill()
            await process.wait()
            raise

    def _relocated(self, text: str) -> str:
        if self.isolated:
            return text
        # Inner paths first: /a/b before /a.
        for mount in reversed(self.mounts):
            text = text.replace(mount["target"], mount["source"])
        return text


async def mount_namespaces_available(folder: Path) -> bool:
    """Whether processes can be given their own mount namespace here; `folder` must be empty."""
    specification = json.dumps({"hostname": "probe", "root": str(folder), "volumes": []})
    process = await asyncio.create_subprocess_exec(
        *_enter(specification), "true", stderr=asyncio.subprocess.DEVNULL
    )
    return await process.wait() != NO_RIGHT


def _enter(specification: str) -> list[str]:
    return [sys.executable, "-I", "-S", str(ENTER_MOUNTS), str(os.getpid()), specification]
