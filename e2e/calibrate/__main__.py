"""Records one configuration of a real Triton and prints it beside its simulation: ``make calibrate``."""

import argparse
import sys
import tempfile
from pathlib import Path

import uvloop

from e2e.calibrate.recording import Recording, figures
from e2e.calibrate.run import CalibrationError, Run, record
from e2e.rig.models.sleepy import SleepyModel
from e2e.rig.supervisor import REPOSITORY

LATE_MILLISECONDS = (
    5.0  # requests sent later than this show a machine that is busy with other things
)


def main() -> int:
    options = parser().parse_args()
    with tempfile.TemporaryDirectory(prefix="calibrate-") as work:
        try:
            recorded, behind_ms = uvloop.run(
                record(run_of(options), work=Path(work), out=options.out)
            )
        except (CalibrationError, ValueError) as error:
            print(f"calibrate: {error}", file=sys.stderr)
            return 1
    print(report(recorded))
    if behind_ms > LATE_MILLISECONDS:
        print(
            f"The machine is busy: 1 % of the requests were sent {behind_ms:.0f} ms late or more."
        )
    print(f"Recorded in {options.out}")
    return 0


def report(recorded: Recording) -> str:
    """Measured beside simulated."""
    measured = figures(recorded.latency_ms)
    simulated = figures(recorded.at_the_client(recorded.simulate()))
    errors = [ours / real - 1 for ours, real in zip(simulated, measured, strict=True)]
    service = recorded.service
    line = f"{service.fixed_seconds * 1000:.2f} + {service.per_item_seconds * 1000:.3f} * b ms"
    return (
        f"{recorded.name}: {recorded.arrivals.size} requests; a batch of b takes {line}; "
        f"{recorded.overhead_ms:.2f} ms outside of queue and compute\n"
        f"{'ms':>12}{'mean':>10}{'p50':>10}{'p99':>10}\n"
        f"{'measured':>12}{''.join(f'{value:10.2f}' for value in measured)}\n"
        f"{'simulated':>12}{''.join(f'{value:10.2f}' for value in simulated)}\n"
        f"{'error':>12}{''.join(f'{error:+10.1%}' for error in errors)}"
    )


def run_of(options: argparse.Namespace) -> Run:
    model = SleepyModel(
        alpha_milliseconds=options.alpha_milliseconds,
        beta_milliseconds=options.beta_milliseconds,
        max_batch_size=options.max_batch,
        instances=options.instances,
        queue_delay_microseconds=options.queue_delay_microseconds,
        preferred_batch_size=options.preferred,
        max_queue_size=options.max_queue_size,
    )
    return Run(model=model, rate=options.rate, seconds=options.seconds, seed=options.seed)


def parser() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(prog="e2e.calibrate", description=__doc__)
    options.add_argument("--alpha-milliseconds", type=float, default=40.0, help="time of a batch")
    options.add_argument("--beta-milliseconds", type=float, default=5.0, help="and per request")
    options.add_argument("--max-batch", type=int, default=8)
    options.add_argument("--instances", type=int, default=1)
    options.add_argument("--queue-delay-microseconds", type=int, default=0)
    options.add_argument("--preferred", type=int, default=0, help="preferred_batch_size, 0: none")
    options.add_argument("--max-queue-size", type=int, default=0, help="0: no queue policy")
    options.add_argument("--rate", type=float, default=70.0, help="requests per second")
    options.add_argument("--seconds", type=float, default=60.0, help="of load")
    options.add_argument("--seed", type=int, default=1, help="of the arrivals")
    options.add_argument("--out", type=Path, default=REPOSITORY / "build" / "calibration")
    return options


if __name__ == "__main__":
    sys.exit(main())
