"""The decorator of this package's compiled functions.

The operator may run without Numba: functions then stay as they are, with equal results, but many times slower.
"""

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TypeVar

F = TypeVar("F", bound=Callable[..., object])

COMPILES = find_spec("numba") is not None
if COMPILES:
    from inference_cost.machine_code import compiler

    compile_ = compiler(Path(__file__).parent)
    compile_beside = compiler(Path(__file__).parent, nogil=True)


def compiled(function: F) -> F:
    return compile_(function) if COMPILES else function


def compiled_beside(function: F) -> F:
    """As `compiled`, for work of many looks in a thread: other threads go on meanwhile."""
    return compile_beside(function) if COMPILES else function
