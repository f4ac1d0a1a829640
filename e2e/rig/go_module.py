"""Where the files of a Go module are that a program of the rig is built from."""

import subprocess
import sys
from pathlib import Path

from e2e.rig.binaries import MODULES
from e2e.rig.go_toolchain import find_go


def module_folder(recipe: str, module: str) -> Path:
    """Folder of `module` in Go's module cache, at the version of the recipe; fetched when it is not there."""
    go = find_go(lambda line: print(line, file=sys.stderr))
    where = MODULES / recipe
    subprocess.run([go, "mod", "download", module], cwd=where, check=True)
    answer = subprocess.run(
        [go, "list", "-m", "-f", "{{.Dir}}", module],
        cwd=where,
        check=True,
        capture_output=True,
        text=True,
    )
    return Path(answer.stdout.strip())
