"""How late the event loop runs: a blocked loop delays the Lease, the probes and everything else."""

from inference_cost.control.clock import Clock

PERIOD_SECONDS = 1.0
MEMORY = 30  # periods over which the worst is kept


class LagMeter:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._recent: list[float] = []

    @property
    def worst(self) -> float:
        """Largest delay of the last half minute, in seconds."""
        return max(self._recent, default=0.0)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            due = self._clock.monotonic() + PERIOD_SECONDS
            await self._clock.sleep(PERIOD_SECONDS)
            late = max(0.0, self._clock.monotonic() - due)
            self._recent = [*self._recent[-MEMORY + 1 :], late]
