"""Where the result goes: a file that is complete or not there, a device or pipe, or the standard output."""

import os
import sys
import tempfile
from pathlib import Path

from inference_cost.cli.failure import CommandError


def require_writable(path: str) -> None:
    """Told before the work, not after it.

    Raises:
        CommandError: nothing can be written there.
    """
    if not path:
        return
    if _is_stream(Path(path)):
        if not os.access(path, os.W_OK):
            raise CommandError(f"--output-file {path}: cannot be written; it is not yours")
        return
    target = _target(path)
    folder = target.parent
    if not folder.is_dir() or not os.access(folder, os.W_OK) or target.is_dir():
        raise CommandError(
            f"--output-file {path}: cannot be written; is {folder} a folder of yours?"
        )


def _is_stream(path: Path) -> bool:
    """A device, a pipe or the like: nothing may take its place."""
    return path.exists() and not path.is_file() and not path.is_dir()


def _target(path: str) -> Path:
    """What a symbolic link points to is written, and the link stays.

    Raises:
        CommandError: the link points to itself.
    """
    try:
        return Path(path).resolve()
    except (OSError, RuntimeError):
        raise CommandError(f"--output-file {path}: is a link that points to itself") from None


def write(text: str, path: str) -> None:
    """Write to a temporary file beside the final one, which then takes its place; straight into what is no file.

    Raises:
        CommandError: it cannot be written.
    """
    if not path:
        sys.stdout.write(text)
        sys.stdout.flush()
        return
    try:
        if _is_stream(Path(path)):
            Path(path).write_text(text, encoding="utf-8")
        else:
            _replace(_target(path), text)
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror}") from None


def _replace(target: Path, text: str) -> None:
    with tempfile.NamedTemporaryFile(
        "w", dir=target.parent, prefix=f".{target.name}.", delete=False, encoding="utf-8"
    ) as file:
        temporary = Path(file.name)
        try:
            file.write(text)
            file.flush()
            os.fchmod(file.fileno(), 0o666 & ~_umask())
            temporary.replace(target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


def _umask() -> int:
    """The mask can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
