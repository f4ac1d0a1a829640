"""Prints the table of docs/batching.md: ``python -m e2e.calibrate.accuracy [FOLDER]``."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from e2e.calibrate.recording import Recording, figures, read
from e2e.rig.supervisor import REPOSITORY

RECORDINGS = REPOSITORY / "tests" / "fixtures" / "triton_batcher"
HEADER = (
    "| run | model (ms) | B | queue delay | other | requests | measured mean / p50 / p99 (ms) "
    "| error of mean | p50 | p99 |\n|---|---|---|---|---|---|---|---|---|---|"
)


def errors(recording: Recording) -> tuple[float, ...]:
    """Relative errors of simulated mean, p50 and p99."""
    simulated = figures(recording.at_the_client(recording.simulate()))
    measured = figures(recording.latency_ms)
    return tuple(ours / real - 1 for ours, real in zip(simulated, measured, strict=True))


def table(recordings: Sequence[Recording]) -> Iterator[str]:
    yield HEADER
    yield from map(_row, recordings)


def _row(recording: Recording) -> str:
    service = recording.service
    measured = " / ".join(f"{value:.1f}" for value in figures(recording.latency_ms))
    cells = [
        recording.name,
        f"{service.fixed_seconds * 1000:.2f} + {service.per_item_seconds * 1000:.2f}·b",
        str(service.max_batch),
        f"{service.queue_delay_seconds * 1000:g} ms",
        ", ".join(_others(recording)),
        f"{recording.arrivals.size}",
        measured,
        *(f"{error:+.1%}".replace("%", " %") for error in errors(recording)),
    ]
    return f"| {' | '.join(cells)} |"


def _others(recording: Recording) -> Iterator[str]:
    if recording.service.instances > 1:
        yield f"{recording.service.instances} instances"
    if recording.preferred:
        yield f"preferred {recording.preferred}"
    if recording.service.queue_policy:
        yield "queue policy"


if __name__ == "__main__":
    print("\n".join(table(list(read(Path(sys.argv[1]) if sys.argv[1:] else RECORDINGS)))))
