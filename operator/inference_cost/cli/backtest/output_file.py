"""Where the result goes: a file that is complete or not there, or the standard output."""

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
    folder = Path(path).parent
    if path and (not folder.is_dir() or not os.access(folder, os.W_OK) or Path(path).is_dir()):
        raise CommandError(
            f"--output-file {path}: cannot be written; is {folder} a folder of yours?"
        )


def write(text: str, path: str) -> None:
    """Write to a temporary file beside the final one, which then takes its place.

    Raises:
        CommandError: it cannot be written.
    """
    if not path:
        sys.stdout.write(text)
        sys.stdout.flush()
        return
    target = Path(path)
    try:
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
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror}") from None


def _umask() -> int:
    """The mask can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
