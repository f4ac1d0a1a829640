"""One contestant on one trace: the same stage for each, and proof that it did the scaling."""

import json
import os
import shutil
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

from e2e.demo import proof
from e2e.demo.measure import scale_events
from e2e.demo.recording import write_nodes, write_scale_events
from e2e.demo.settings import DemoSettings
from e2e.demo.stage import Moment, Stage, balanced, deploy_fleet, run_load, start_stack, warm_up
from e2e.race.contestants import Contestant
from e2e.race.settings import BOUNDS_MILLISECONDS, TIMINGS, RaceSettings
from e2e.race.traces import Trace

SAY_EVERY_SECONDS = 30
ABOUT_FILE = "contestant.json"
Say = Callable[[str], None]


def play(trace: Trace, contestant: Contestant, settings: RaceSettings, say: Say) -> None:
    """Leaves the raw rows and `contestant.json` in the play's folder.

    Raises:
        ProofError: somebody else scaled, nobody did, or Triton was none.
    """
    demo = settings.of_play(trace, contestant.name)
    shutil.rmtree(demo.output, ignore_errors=True)
    demo.output.mkdir(parents=True)
    with ExitStack() as held:
        stage = _set_stage(contestant, demo, held)
        warm_up(stage)
        measurement = run_load(stage, trace.arrivals().tolist(), lambda moment: _say(moment, say))
        for line in _prove(stage, contestant):
            say(f"  proven: {line}")
        _write_about(demo.output / ABOUT_FILE, contestant)
    write_nodes(demo.output / "nodes.csv", measurement.nodes)
    write_scale_events(demo.output / "scale_events.csv", scale_events(measurement.changes))


def _set_stage(contestant: Contestant, settings: DemoSettings, held: ExitStack) -> Stage:
    stack = start_stack(settings, held, name="race", timings=TIMINGS)
    deploy_fleet(stack, settings)
    contestant.install(stack, settings, held)
    stage = balanced(stack, settings, bounds_milliseconds=BOUNDS_MILLISECONDS)
    stack.kube.apply(contestant.policy(stack, settings))
    return stage


def _say(moment: Moment, say: Say) -> None:
    now = moment.progress
    if now is None or round(moment.t_s) % SAY_EVERY_SECONDS:
        return
    late = 100 * now.late / max(now.sent, 1)
    say(
        f"  {moment.t_s:3.0f} s: {now.ratePerSecond:3.0f} requests/s, p99 {now.p99Milliseconds:.0f} ms, "
        f"{moment.sight.ready} of {moment.sight.replicas} replicas ready, {late:.2f} % late so far"
    )


def _prove(stage: Stage, contestant: Contestant) -> list[str]:
    stack, fleet = stage.stack, stage.settings.fleet
    writes = proof.scale_writes(stack.cluster.audit_log, fleet)
    return [
        proof.made_each_write(writes, contestant.writer),
        proof.metrics_come_from_triton(stack.kube, stack.prometheus_url, fleet),
    ]


def _write_about(path: Path, contestant: Contestant) -> None:
    expected = contestant.forecast
    about = {
        "name": contestant.name,
        "title": contestant.title,
        "told": contestant.told,
        "forecast": None if expected is None else asdict(expected),
        "load_average": round(os.getloadavg()[1], 2),
    }
    path.write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
