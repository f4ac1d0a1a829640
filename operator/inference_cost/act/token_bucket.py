"""A rate limit with a burst. Time is passed in, so that it has no clock of its own."""


class TokenBucket:
    """At most `burst` at once and `per_second` on average."""

    def __init__(self, *, per_second: float, burst: float) -> None:
        self._per_second = per_second
        self._burst = burst
        self._tokens = burst
        self._at: float | None = None

    def take(self, now: float, count: int = 1) -> bool:
        """Takes `count` tokens if there is one: others that are not there are owed, and the next who asks waits longer.

        `now`: seconds of a monotonic clock.
        """
        if self.wait_seconds(now) > 0:
            return False
        self._tokens -= count
        return True

    def wait_seconds(self, now: float) -> float:
        """Seconds until a token is there; zero when one is."""
        self._refill(now)
        return max(0.0, (1 - self._tokens) / self._per_second)

    def _refill(self, now: float) -> None:
        if self._at is not None:
            earned = max(0.0, now - self._at) * self._per_second
            self._tokens = min(self._burst, self._tokens + earned)
        self._at = now
