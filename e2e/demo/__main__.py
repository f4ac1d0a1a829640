"""`make demo`: the operator keeps a real Triton fleet inside its objective, on a real Kubernetes API.

From a fresh clone: builds what is needed, starts everything, drives a day of real traffic squeezed into four minutes,
shows what happens, proves that nothing was played by a stand-in, writes `build/demo/` and cleans up.
"""

import argparse
import shutil
import signal
import sys
from pathlib import Path

from e2e.demo.play import play
from e2e.demo.proof import ProofError
from e2e.demo.screen import Screen
from e2e.demo.settings import OUTPUT, DemoSettings
from e2e.rig.traces import DAYS, TraceSettings

REQUIRED_PERCENT = 95  # after the first minute; the policy itself aims at 99


def main() -> int:
    # A shell's background job inherits SIGINT ignored; who sends it all the same means it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    arguments = _parser().parse_args()
    trace = TraceSettings(
        day=arguments.day, seconds=arguments.seconds, factor=arguments.factor, seed=arguments.seed
    )
    settings = DemoSettings(trace=trace, output=arguments.output, keep=arguments.keep)
    screen = Screen(objective_milliseconds=settings.objective_milliseconds)
    shutil.rmtree(settings.output, ignore_errors=True)
    settings.output.mkdir(parents=True)
    try:
        summary = play(settings, screen)
    except KeyboardInterrupt:
        screen.step("interrupted; everything is stopped")
        return 130
    except ProofError as error:
        screen.step(f"NOT PROVEN: {error}")
        return 1
    if summary["attainmentPercent"] < REQUIRED_PERCENT:
        screen.step(f"NOT KEPT: less than {REQUIRED_PERCENT} % of the requests were in time")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    defaults = TraceSettings()
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument(
        "--day", type=int, default=defaults.day, choices=range(DAYS), help="day of the trace"
    )
    parser.add_argument(
        "--seconds", type=float, default=defaults.seconds, help="length of the squeezed day"
    )
    parser.add_argument(
        "--factor", type=float, default=defaults.factor, help="times the trace's rate"
    )
    parser.add_argument("--seed", type=int, default=defaults.seed, help="of the arrival instants")
    parser.add_argument("--output", type=Path, default=OUTPUT, help="folder of the results")
    parser.add_argument("--keep", action="store_true", help="leave everything running until Ctrl-C")
    return parser


if __name__ == "__main__":
    sys.exit(main())
