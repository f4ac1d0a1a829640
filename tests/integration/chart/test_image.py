"""The steps of the Dockerfile, run in an empty folder with nothing but what the build would copy."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.chart.dockerfile import IMAGE_SCRIPTS, REPOSITORY, copied, instructions

TOOLS = ("pip", "setuptools", "wheel", "hatchling")


@pytest.fixture(scope="module")
def environment_moved(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The environment that build_venv.sh made, moved to another place, its source gone."""
    folder = tmp_path_factory.mktemp("image")
    source, made, moved = folder / "source", folder / "made", folder / "moved"
    for path in copied():
        target = source / path.relative_to(REPOSITORY)
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            shutil.copytree(path, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(path, target)
    subprocess.run(
        [source / "scripts/image/build_venv.sh", source, made],
        check=True,
        cwd=folder,
        env=os.environ | {"PYTHON": sys._base_executable},  # type: ignore[attr-defined]
    )
    shutil.rmtree(source)
    made.rename(moved)
    yield moved
    shutil.rmtree(moved)


def python(environment: Path, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [environment / "bin/python", "-I", *arguments],
        check=False,
        capture_output=True,
        text=True,
        cwd=cwd,
        env={"PATH": os.defpath},
        timeout=60,
    )


def test_the_entry_point_runs_from_another_place(environment_moved: Path, tmp_path: Path) -> None:
    (entry,) = (i.command for i in instructions() if i.word == "ENTRYPOINT")
    done = python(environment_moved, *entry[1:], "--help", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("usage: inference-cost-operator")
    assert list(tmp_path.iterdir()) == []


def test_the_data_that_the_operator_ships_is_in_it(environment_moved: Path) -> None:
    package = next(environment_moved.glob("lib/python3.*/site-packages/inference_cost"))
    source = REPOSITORY / "operator" / "inference_cost"
    shipped = {
        str(path.relative_to(source))
        for path in source.rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    assert {name for name in shipped if not (package / name).exists()} == set()


def test_nothing_to_build_or_install_with_is_left(environment_moved: Path) -> None:
    packages = next(environment_moved.glob("lib/python3.*/site-packages"))
    assert [tool for tool in TOOLS if (packages / tool).exists()] == []
    assert not list((environment_moved / "bin").glob("pip*"))


def test_the_base_loses_its_build_tools(tmp_path: Path) -> None:
    prefix = tmp_path / "local"
    subprocess.run([sys._base_executable, "-m", "venv", prefix], check=True)  # type: ignore[attr-defined]
    packages = next(prefix.glob("lib/python3.*/site-packages"))
    (packages.parent / "ensurepip").mkdir()
    assert (packages / "pip").is_dir()
    subprocess.run([IMAGE_SCRIPTS / "remove_build_tools.sh", prefix], check=True)
    assert [entry.name for entry in packages.iterdir() if entry.name.startswith("pip")] == []
    assert not (packages.parent / "ensurepip").exists()
    assert not list((prefix / "bin").glob("pip*"))
    assert python(prefix, "-c", "pass", cwd=tmp_path).returncode == 0
