"""Where the result goes: files are replaced as a whole, everything else is written into."""

import os
import threading
from pathlib import Path

import pytest

from inference_cost.cli.backtest.output_file import require_writable, write
from inference_cost.cli.failure import CommandError


def test_a_link_stays_and_its_file_is_replaced(tmp_path: Path) -> None:
    file, link = tmp_path / "there" / "result.csv", tmp_path / "link.csv"
    file.parent.mkdir()
    file.write_text("before")
    link.symlink_to(file)
    require_writable(str(link))
    write("after", str(link))
    assert link.is_symlink()
    assert file.read_text() == "after"
    assert list(file.parent.iterdir()) == [file]


def test_a_link_to_a_file_that_is_not_there_yet(tmp_path: Path) -> None:
    (tmp_path / "link.csv").symlink_to(tmp_path / "new.csv")
    write("text", str(tmp_path / "link.csv"))
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "new.csv").read_text() == "text"


def test_a_link_to_itself(tmp_path: Path) -> None:
    link = tmp_path / "link.csv"
    link.symlink_to(link)
    with pytest.raises(CommandError, match="link"):
        require_writable(str(link))


def test_a_pipe_is_written_into(tmp_path: Path) -> None:
    pipe, found = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: found.append(pipe.read_text()), daemon=True)
    reader.start()
    require_writable(str(pipe))
    write("text", str(pipe))
    reader.join(20)
    assert found == ["text"]
    assert pipe.is_fifo()


def test_a_device_stays_one() -> None:
    require_writable(os.devnull)
    write("text", os.devnull)
    assert Path(os.devnull).is_char_device()


def test_a_folder_is_none(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be written"):
        require_writable(str(tmp_path))
