"""Finds a Python that Triton's Python backend can embed."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# NumPy 1.26 has wheels for these, the Triton wheel has a stub for them.
EMBEDDABLE = ("3.11", "3.12", "3.10", "3.9")

_DESCRIBE = """
import json, sys, sysconfig
get = sysconfig.get_config_var
print(json.dumps({
    "version": "%d.%d" % sys.version_info[:2],
    "base": sys._base_executable,
    "folders": [get("LIBDIR") or "", sys.base_prefix + "/lib", "/usr/lib/" + (get("MULTIARCH") or "")],
}))
"""


class NoInterpreterError(RuntimeError):
    """No Python on this machine fits the Python backend."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpreter:
    executable: Path
    version: str
    library_folder: Path


def find_interpreter() -> Interpreter:
    """Return the first usable Python: the running one, else one from the PATH.

    Raises:
        NoInterpreterError: none has a supported version and a shared library.
    """
    refused: list[str] = []
    for candidate in _candidates():
        found = _inspect(candidate)
        if isinstance(found, Interpreter):
            return found
        refused.append(f"  {candidate}: {found}")
    raise NoInterpreterError(
        f"Triton's Python backend needs one of Python {', '.join(EMBEDDABLE)} with its shared "
        "library (Debian: package libpython3.11). Looked at:\n" + "\n".join(refused)
    )


def _candidates() -> Iterator[str]:
    yield sys.executable
    for version in EMBEDDABLE:
        found = shutil.which(f"python{version}")
        if found:
            yield found


def _inspect(executable: str) -> Interpreter | str:
    answer = subprocess.run(
        [executable, "-I", "-c", _DESCRIBE], capture_output=True, text=True, check=False
    )
    if answer.returncode != 0:
        return f"does not run: {answer.stderr.strip()[-200:]}"
    facts = json.loads(answer.stdout)
    version = str(facts["version"])
    if version not in EMBEDDABLE:
        return f"version {version} is not supported"
    library = f"libpython{version}.so.1.0"
    for folder in facts["folders"]:
        if folder and (Path(folder) / library).exists():
            return Interpreter(
                executable=Path(facts["base"]), version=version, library_folder=Path(folder)
            )
    return f"{library} is missing"
