"""The time that a report is about, in pieces of equal length."""

from dataclasses import dataclass
from math import ceil

from inference_cost.cli.ago import Times, times_of

MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0
LENGTHS = (
    *(5.0, 10.0, 15.0, 30.0),
    *(n * MINUTE for n in (1, 2, 5, 10, 15, 30)),
    *(n * HOUR for n in (1, 2, 3, 4, 6, 8, 12)),
    *(n * DAY for n in (1, 2, 7)),
)
MOST_PIECES = 190


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Epoch seconds. `piece_seconds` × `pieces` is its whole length."""

    begin: float
    piece_seconds: float
    pieces: int

    @property
    def seconds(self) -> float:
        return self.piece_seconds * self.pieces

    @property
    def end(self) -> float:
        return self.begin + self.seconds

    @property
    def first_end(self) -> float:
        return self.begin + self.piece_seconds

    def piece_of(self, end: float) -> int:
        """Number of the piece that ends then."""
        return round((end - self.begin) / self.piece_seconds) - 1


def report_times(since: str, until: str, now: float) -> Times:
    """Raises CommandError: these are no times, or there is nothing in between."""
    return times_of(since, until, now, least_seconds=LENGTHS[0])


def window_of(times: Times, scrape_seconds: float) -> Window:
    """Of whole pieces, two scrapes long at least; it may begin a part of a piece earlier than asked for."""
    whole = times.end - times.begin
    length = next(
        (s for s in LENGTHS if whole / s <= MOST_PIECES and s >= 2 * scrape_seconds), LENGTHS[-1]
    )
    pieces = ceil(round(whole / length, 6))
    return Window(begin=times.end - pieces * length, piece_seconds=length, pieces=pieces)
