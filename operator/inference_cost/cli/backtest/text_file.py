"""Text files of any length, gzip or plain, read in blocks of lines and hashed on the way, so that a pipe will do."""

import gzip
import hashlib
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from inference_cost.cli.failure import CommandError, ExitCode

BLOCK_BYTES = 1 << 20
LONGEST_BYTES = 8 * BLOCK_BYTES  # of a line, or of a field in quotes
LONGEST_HEADER_BYTES = 1 << 16
GZIP_MAGIC = b"\x1f\x8b"
EXPECTED = "a CSV file, plain or gzip, is expected"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRead:
    """A file that went into a run: what it was for, its name without folders, and its content's SHA-256."""

    role: str
    name: str
    sha256: str


class TextFile:
    """An open file. Its lines can be gone through once."""

    def __init__(self, name: str, stream: Any, source: "_HashingSource") -> None:
        self.name = name
        self._stream = stream
        self._source = source
        self._seen = 0  # lines given so far
        self._rest = b""

    def first_line(self) -> str:
        """The first line; the others are given by `blocks`.

        Raises:
            CommandError: the file is empty or damaged.
        """
        self._rest = self._read()
        if not self._rest:
            raise CommandError(f"{self.name} is empty")
        line, _, self._rest = self._rest.removeprefix(b"\xef\xbb\xbf").partition(b"\n")
        if len(line) > LONGEST_HEADER_BYTES:
            raise CommandError(f"{self.name}, line 1: it is too long for a header; {EXPECTED}")
        text = self._decoded(line)
        self._seen = 1
        return text

    def blocks(self) -> Iterator[tuple[int, str]]:
        """Blocks of whole lines, each with the number of the line before it; no quoted field is cut.

        Raises:
            CommandError: the file is damaged, or not text.
        """
        while block := self._read():
            whole, cut, rest = (self._rest + block).rpartition(b"\n")
            if not cut or whole.count(b'"') % 2:
                self._rest += block
                self._require_short()
                continue
            self._rest = rest
            yield self._block(whole + cut)
        if self._rest:
            yield self._block(self._rest)

    def read_file(self, role: str) -> FileRead:
        self._source.drain()
        return FileRead(role=role, name=self.name, sha256=self._source.sha256.hexdigest())

    def _block(self, data: bytes) -> tuple[int, str]:
        before, text = self._seen, self._decoded(data)
        self._seen += text.count("\n")
        return before, text

    def _read(self) -> bytes:
        try:
            data: bytes = self._stream.read(BLOCK_BYTES)
        except EOFError:
            raise CommandError(
                f"{self.name}: the gzip stream ends early, {self._after()}; the file is incomplete: "
                "copy it again"
            ) from None
        except (gzip.BadGzipFile, zlib.error):
            raise CommandError(f"{self.name}: the gzip stream is damaged {self._after()}") from None
        except OSError as error:
            raise CommandError(f"{self.name} cannot be read: {error.strerror or error}") from None
        return data

    def _after(self) -> str:
        """At least so many lines are fine; the block that failed is lost as a whole."""
        return f"somewhere after line {self._seen}"

    def _decoded(self, data: bytes) -> str:
        try:
            text = data.decode()
        except UnicodeDecodeError as error:
            line = self._seen + data.count(b"\n", 0, error.start) + 1
            raise CommandError(
                f"{self.name}, line {line}: it is not UTF-8 text; {EXPECTED}"
            ) from None
        if "\0" in text:
            line = self._seen + text.count("\n", 0, text.index("\0")) + 1
            raise CommandError(f"{self.name}, line {line}: it is not text; {EXPECTED}")
        return text

    def _require_short(self) -> None:
        if len(self._rest) > LONGEST_BYTES:
            raise CommandError(
                f"{self.name}, line {self._seen + 1}: a line or a field in quotes that starts after "
                f"it is longer than {LONGEST_BYTES >> 20} MiB; {EXPECTED}"
            )


class _HashingSource(io.RawIOBase):
    def __init__(self, raw: BinaryIO) -> None:
        super().__init__()
        self._raw = raw
        self.sha256 = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._raw.read(len(buffer))
        self.sha256.update(data)
        buffer[: len(data)] = data
        return len(data)

    def drain(self) -> None:
        while data := self._raw.read(BLOCK_BYTES):
            self.sha256.update(data)


@contextmanager
def open_text(path: str) -> Iterator[TextFile]:
    """Open a file for reading.

    Raises:
        CommandError: there is none, or it cannot be read.
    """
    with _opened(path) as raw, _HashingSource(raw) as source:
        buffered = io.BufferedReader(source, BLOCK_BYTES)
        try:
            zipped = buffered.peek(2)[:2] == GZIP_MAGIC
        except OSError as error:
            raise CommandError(f"{path} cannot be read: {error.strerror}") from None
        stream: Any = gzip.GzipFile(fileobj=buffered) if zipped else buffered
        yield TextFile(Path(path).name, stream, source)


def _opened(path: str) -> BinaryIO:
    try:
        return Path(path).open("rb")
    except FileNotFoundError:
        raise CommandError(f"there is no file {path}", ExitCode.NOT_FOUND) from None
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}") from None
