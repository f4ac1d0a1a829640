"""Tasks that nothing waits for."""

import asyncio
import logging
from contextlib import suppress

LOG = logging.getLogger(__name__)


def log_failure(task: asyncio.Task[None]) -> None:
    """Say so when a task ended by an error; for `add_done_callback`."""
    if not task.cancelled() and task.exception() is not None:
        LOG.error("a task of the rig failed", exc_info=task.exception())


async def wait_at_most(event: asyncio.Event, seconds: float) -> bool:
    """Whether the event came in time.

    Unlike `asyncio.wait_for` of Python 3.11 it never swallows a cancellation that comes together
    with the event.
    """
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
    return event.is_set()
