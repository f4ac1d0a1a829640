"""`make race`: real KEDA, llm-d's law and this operator on the same requests to a real Triton; about forty minutes.

Writes `build/race/`: a folder of raw rows per trace and contestant, race.json, race.html. With --publish also
`benchmarks/results/race/` and the tables of `docs/race.md`.
"""

import argparse
import json
import os
import platform
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from e2e.baselines.private_network import NoPrivateNetworkError, enter_private_network
from e2e.demo.proof import ProofError
from e2e.race.contestants import (
    KEDA_DEFAULT,
    KEDA_TUNED,
    NAMES,
    Contestant,
    Keda,
    keda_by_rate,
    llmd_law,
    operator,
)
from e2e.race.figures import Race, published, read_race
from e2e.race.play import play
from e2e.race.publish import publish
from e2e.race.report import Page, write_page
from e2e.race.settings import OUTPUT, RaceSettings
from e2e.race.traces import Trace, traces
from e2e.race.tuning import (
    best_in_hindsight,
    default_knob,
    forecast,
    forecast_of_operator,
    grid,
    load_per_replica,
    scenario_of,
)
from e2e.rig.binaries import RECIPES, ensure
from e2e.rig.triton import ensure_triton
from inference_cost.decide.compile_ahead import compile_ahead

USED = ("kubernetes", "keda", "prometheus", "etcd")
TRACE_NAMES = tuple(trace.name for trace in traces())


def main() -> int:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    options = _parser().parse_args()
    settings = RaceSettings(output=options.output)
    if not options.report:
        try:
            _play_all(options.traces, options.contestants, settings)
        except (ProofError, NoPrivateNetworkError) as error:
            print(f"error: {error}", file=sys.stderr)
            return 1
    races = _report(settings)
    if options.publish:
        publish(settings.output, races)
    return 0


def _play_all(trace_names: Sequence[str], names: Sequence[str], settings: RaceSettings) -> None:
    say = _Teller()
    say("fetching Triton, building Kubernetes and KEDA, compiling the operator's rules (once)")
    ensure_triton()
    ensure()
    compile_ahead()  # else its pods do, beside everything that starts
    installed = Keda.fetch()
    chosen = [trace for trace in traces() if trace.name in trace_names]
    plays = [
        (trace, one)
        for trace in chosen
        for one in _contestants(trace, settings, installed, say)
        if one.name in names
    ]
    # KEDA's adapter listens on all addresses of its network.
    enter_private_network()
    for number, (trace, contestant) in enumerate(plays, start=1):
        say(f"{number} of {len(plays)}: {contestant.title} on {trace.name}")
        play(trace, contestant, settings, say)


def _contestants(
    trace: Trace, settings: RaceSettings, installed: Keda, say: "_Teller"
) -> list[Contestant]:
    say(f"{trace.name}: tuning KEDA in the simulator")
    carried = load_per_replica(scenario_of(trace, settings.demo))
    default, *tried = forecast(trace, settings.demo, [default_knob(carried), *grid(carried)])
    best = best_in_hindsight(tried)
    say(
        f"  a replica carries {carried:.1f} requests/s within the objective; best in hindsight: {best}"
    )
    return [
        operator(forecast_of_operator(trace, settings.demo)),
        keda_by_rate(KEDA_TUNED, "KEDA, tuned in hindsight", best, installed),
        keda_by_rate(KEDA_DEFAULT, "KEDA, default", default, installed),
        llmd_law(installed),
    ]


def _report(settings: RaceSettings) -> tuple[Race, ...]:
    """Of whatever was played."""
    found = [
        read_race(settings.output / trace.name, trace, NAMES, settings.demo) for trace in traces()
    ]
    races = tuple(race for race in found if race.played)
    origin = _origin()
    text = json.dumps(published(races, origin), indent=2)
    (settings.output / "race.json").write_text(text + "\n", encoding="utf-8")
    line = f"{origin['date']}, {origin['host']}, " + ", ".join(
        f"{name} {version}" for name, version in origin["versions"].items()
    )
    write_page(
        settings.output / "race.html", Page(races=races, settings=settings.demo, origin=line)
    )
    print(f"see {settings.output}/race.html, race.json")
    return races


def _origin() -> dict[str, Any]:
    return {
        "date": time.strftime("%Y-%m-%d"),
        "host": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "versions": {recipe.name: recipe.version for recipe in RECIPES if recipe.name in USED},
    }


class _Teller:
    """Prints what happens, with the seconds since the start."""

    def __init__(self) -> None:
        self._started = time.monotonic()

    def __call__(self, text: str) -> None:
        print(f"[{time.monotonic() - self._started:6.1f} s] {text}", flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make race", description=__doc__)
    parser.add_argument("--traces", nargs="+", choices=TRACE_NAMES, default=TRACE_NAMES)
    parser.add_argument("--contestants", nargs="+", choices=NAMES, default=NAMES)
    parser.add_argument(
        "--report", action="store_true", help="write the results anew, play nothing"
    )
    parser.add_argument(
        "--publish", action="store_true", help="copy the results into the repository"
    )
    parser.add_argument("--output", type=Path, default=OUTPUT, help="folder of the results")
    return parser


if __name__ == "__main__":
    sys.exit(main())
