"""On what the figures were made, and which state of the code made them."""

import hashlib
import os
import platform
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
_PACKAGE = ROOT / "operator" / "inference_cost"
# What a figure depends on: the decision, the simulator, the traces and the cases. Not the pages made from them.
SOURCES = (
    *(_PACKAGE / part for part in ("account", "decide", "model", "simulate")),
    ROOT / "benchmarks" / "traces",
    ROOT / "benchmarks" / "replay" / "faults.py",
    ROOT / "benchmarks" / "replay" / "plan.py",
    ROOT / "benchmarks" / "replay" / "scenarios.py",
)


def code_hash() -> str:
    """Eight digits that change with any line of code that a figure depends on."""
    digest = hashlib.sha256()
    for source in SOURCES:
        files = [source] if source.is_file() else sorted(source.rglob("*.py"))
        for file in files:
            digest.update(file.relative_to(ROOT).as_posix().encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:8]


def facts(command: str, wall_seconds: float, skipped: str) -> dict[str, str]:
    """In the order in which they are shown. `command` names no path of this machine."""
    packages = ("numpy", "numba", "inference-cost-operator")
    return {
        "command": f"`{command}`",
        "date": datetime.now(UTC).date().isoformat(),
        "took": f"{wall_seconds / 60:.0f} min",
        "machine": f"{os.cpu_count()} cores, {_processor()}, {platform.system()}",
        "python": platform.python_version(),
        **{name: _version(name) for name in packages},
        "skipped": skipped or "nothing",
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.machine()
