"""Reads the columns of a gzip CSV, and finds the files of the benchmark."""

import gzip
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Columns = Mapping[str, Floats]

SHIPPED = Path(__file__).parent.parent / "data"


def read_columns(path: Path) -> Columns:
    """Every column by its name.

    Raises:
        ValueError: a value is not a number.
    """
    with gzip.open(path, "rt") as lines:
        names = next(lines).strip().split(",")
        values = np.loadtxt(lines, delimiter=",", ndmin=2)
    return {name: values[:, index] for index, name in enumerate(names)}


def find(name: str, extra: Path | None = None) -> Path | None:
    """The file of that name among the shipped ones, else in `extra` or below it; None where it is in neither."""
    shipped = SHIPPED / name
    if shipped.exists():
        return shipped
    return min(extra.rglob(name), default=None) if extra else None
