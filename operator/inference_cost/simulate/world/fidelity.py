"""Which model serves: the fluid steps, or every request through its batcher.

Chosen by the type of `World.batchers` when a loop is compiled, so that a run in steps does not compile the batchers.
"""

from collections.abc import Callable
from typing import Any

from numba import types
from numba.extending import overload

from inference_cost.simulate.world.requests import (
    finish_requests,
    serve_requests,
    settle_requests,
)
from inference_cost.simulate.world.state import World
from inference_cost.simulate.world.steps import serve_step


def serve(world: World, start: float, end: float) -> None:
    """Serve the arrivals from `start` to `end`, in one bin, during which no replica comes or goes."""
    (serve_step if world.batchers is None else serve_requests)(world, start, end)


def finish_replica(world: World, slot: int) -> None:
    """Let a drained replica answer what it accepted."""
    if world.batchers is not None:
        finish_requests(world, slot)


def settle(world: World) -> None:
    """At the end of a run, bring the course up to date."""
    if world.batchers is not None:
        settle_requests(world)


def in_steps(world: Any) -> bool:
    """Of a Numba type: whether its `batchers` are None."""
    return isinstance(world.types[World._fields.index("batchers")], types.NoneType)


@overload(serve, strict=False)  # type: ignore[untyped-decorator]
def _serve(world: Any, start: Any, end: Any) -> Callable[..., None]:  # noqa: ARG001 - by type
    if in_steps(world):
        return lambda world, start, end: serve_step(world, start, end)  # noqa: PLW0108 - Numba wants it
    return lambda world, start, end: serve_requests(world, start, end)  # noqa: PLW0108 - same


@overload(finish_replica, strict=False)  # type: ignore[untyped-decorator]
def _finish_replica(world: Any, slot: Any) -> Callable[..., None]:  # noqa: ARG001 - by type
    if in_steps(world):
        return lambda world, slot: None  # noqa: ARG005 - nothing to finish
    return lambda world, slot: finish_requests(world, slot)  # noqa: PLW0108 - same


@overload(settle, strict=False)  # type: ignore[untyped-decorator]
def _settle(world: Any) -> Callable[..., None]:
    if in_steps(world):
        return lambda world: None  # noqa: ARG005 - nothing to settle
    return lambda world: settle_requests(world)  # noqa: PLW0108 - same
