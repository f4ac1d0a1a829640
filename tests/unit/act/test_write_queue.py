"""One budget of writes: what changed in meaning first, the rest evenly."""

import asyncio

from inference_cost.act.token_bucket import TokenBucket
from inference_cost.act.write_queue import WriteQueue


class Recorder:
    """Queue on a clock of its own; notes which write was done when."""

    def __init__(self, *, per_second: float, burst: float) -> None:
        self.now = 0.0
        self.done: list[tuple[str, float]] = []
        self.queue = WriteQueue(per_second=per_second, burst=burst, monotonic=lambda: self.now)

    def put(self, name: str, *, urgent: bool = False, label: str = "") -> None:
        async def write() -> None:
            self.done.append((label or name, self.now))

        self.queue.put(name, write, urgent=urgent)

    async def run(self, seconds: float, step: float = 0.25) -> None:
        """Runs the queue while its clock moves in steps."""
        end = self.now + seconds
        while self.now < end:
            task = asyncio.create_task(self.queue.run())
            await asyncio.sleep(0.005)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            self.now += step


async def test_urgent_writes_use_the_burst_and_others_are_spread_evenly() -> None:
    recorder = Recorder(per_second=1, burst=3)
    for name in ("a", "b", "c"):
        recorder.put(name)
    for name in ("x", "y"):
        recorder.put(name, urgent=True)
    await recorder.run(5)
    assert recorder.done[:2] == [("x", 0.0), ("y", 0.0)]
    assert recorder.done[2:] == [("a", 1.0), ("b", 2.0), ("c", 3.0)]


async def test_urgent_writes_beyond_the_burst_wait_too() -> None:
    recorder = Recorder(per_second=1, burst=2)
    for name in ("v", "w", "x", "y"):
        recorder.put(name, urgent=True)
    await recorder.run(4)
    assert [at for _, at in recorder.done] == [0.0, 0.0, 1.0, 2.0]


async def test_a_newer_write_replaces_an_older_one_and_stays_urgent() -> None:
    recorder = Recorder(per_second=1, burst=1)
    recorder.put("first", urgent=True)
    recorder.put("a", urgent=True, label="old")
    recorder.put("b")
    recorder.put("a", label="new")
    await recorder.run(4)
    assert [name for name, _ in recorder.done] == ["first", "new", "b"]


async def test_a_dropped_write_is_not_done() -> None:
    recorder = Recorder(per_second=1, burst=1)
    recorder.put("a")
    recorder.queue.drop("a")
    await recorder.run(1)
    assert recorder.done == []
    assert len(recorder.queue) == 0


async def test_a_write_that_fails_does_not_stop_the_others() -> None:
    recorder = Recorder(per_second=10, burst=5)

    async def broken() -> None:
        raise RuntimeError("boom")

    recorder.queue.put("broken", broken, urgent=True)
    recorder.put("b", urgent=True)
    await recorder.run(0.5)
    assert [name for name, _ in recorder.done] == ["b"]


def test_a_bucket_gives_its_burst_and_then_its_rate() -> None:
    bucket = TokenBucket(per_second=2, burst=3)
    taken = [at / 10 for at in range(30) if bucket.take(at / 10)]
    assert taken == [0.0, 0.1, 0.2, 0.5, 1.0, 1.5, 2.0, 2.5]


def test_what_was_taken_beyond_the_burst_is_owed() -> None:
    bucket = TokenBucket(per_second=2, burst=3)
    assert bucket.take(0.0, 9)
    taken = [at for at in range(8) if bucket.take(float(at))]
    assert taken == [4, 5, 6, 7]
