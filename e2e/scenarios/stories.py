"""Stories: scenarios that mostly wait. They run side by side, from the session's start; their tests ask how they ended.

A story has a namespace and node pools of its own. It may not disturb others: whoever kills, stops or upgrades
something that all share runs after them (order.py).
"""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

from e2e.scenarios import story_pools
from e2e.scenarios.installation import Installation
from e2e.scenarios.scene import Scene, scene

Story = Callable[[Scene], None]
# From the moment somebody asks.
END_WITHIN_SECONDS = 280.0
# Between one and the next: a dozen servers that start at once take as long as a refusal would.
APART_SECONDS = 3.0
LONG_WITHIN_SECONDS = 1400.0


class Stories:
    """Those of the session."""

    def __init__(self, installation: Installation, threads: ThreadPoolExecutor) -> None:
        self._installation = installation
        self._threads = threads
        self._ends: dict[str, Future[None]] = {}

    def begin(self, story: Story) -> None:
        name = story.__name__
        if name not in self._ends:
            wait = APART_SECONDS * len(self._ends)
            self._ends[name] = self._threads.submit(self._play, story, wait)

    def end_of(self, story: Story, *, within: float = END_WITHIN_SECONDS) -> None:
        """Wait for the end; raises what the story raised, with the status of its policies."""
        self.begin(story)
        self._ends[story.__name__].result(within)

    def _play(self, story: Story, wait: float) -> None:
        time.sleep(wait)
        with scene(self._installation, story.__name__.replace("_", "-")) as place:
            try:
                story(place)
            except BaseException as error:
                error.add_note(place.description())
                raise


@contextmanager
def told(installation: Installation) -> Iterator[Stories]:
    """All end before the cluster does."""
    with (
        story_pools.declared(installation.kube),
        ThreadPoolExecutor(thread_name_prefix="story", max_workers=16) as threads,
    ):
        yield Stories(installation, threads)
