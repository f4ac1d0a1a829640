"""Functions of the simulator that are compiled by Numba; the same function runs as plain Python through `.py_func`."""

from collections.abc import Callable
from typing import TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., object])


def compiled(function: F) -> F:
    """Compile on first use and keep the machine code beside the source (or in Numba's cache folder)."""
    return cast(F, numba.njit(cache=True, error_model="numpy")(function))


def inlined(function: F) -> F:
    """As `compiled`, for small functions inside loops."""
    return cast(F, numba.njit(cache=True, error_model="numpy", inline="never")(function))
