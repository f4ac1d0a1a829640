"""Time that a test owns."""

import asyncio


class FakeClock:
    """Starts at zero on the monotonic side and at an epoch on the other. `sleep` moves both at once."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return 1_763_812_800.0 + self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)
