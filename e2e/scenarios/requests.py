"""What became of the requests of a load, and what the nodes cost meanwhile."""

import csv
import json
import time
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from e2e.rig.processes import ManagedProcess
from e2e.rig.provisioner.lifetimes import read_lifetimes
from e2e.scenarios.live import OBJECTIVE_MILLISECONDS, LiveFleet


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """A load that runs. `started_at`: epoch seconds, as the load says."""

    process: ManagedProcess
    rows: Path
    log: Path

    @property
    def started_at(self) -> float:
        first = self.log.read_text(encoding="utf-8").partition("\n")[0]
        return float(json.loads(first)["startedAt"])

    @property
    def seconds(self) -> float:
        """Since it began."""
        return time.time() - self.started_at

    def answered(self) -> tuple[int, int]:
        """Requests whose end is known until now, and how many of them got no answer, or another than 200."""
        with self.rows.open(encoding="ascii") as file:
            good = [row["ok"] == "1" for row in csv.DictReader(file) if row["ok"]]
        return len(good), len(good) - sum(good)

    def in_time(self, begin_seconds: float, end_seconds: float) -> float:
        """Share of the requests sent between two times of the load that were answered within the objective."""
        with self.rows.open(encoding="ascii") as file:
            sent = [
                row
                for row in csv.DictReader(file)
                if begin_seconds <= float(row["t_s"]) < end_seconds
            ]
        assert sent, "no request in this time"
        good = [
            row
            for row in sent
            if row["ok"] == "1" and float(row["latencyMilliseconds"]) <= OBJECTIVE_MILLISECONDS
        ]
        return len(good) / len(sent)


def start_load(fleet: LiveFleet, *, per_second: float, seconds: float, name: str = "base") -> Load:
    """Behind a load balancer of its own."""
    folder = fleet.stack.cluster.logs
    title = f"{fleet.fleet.namespace}-{name}"
    process = fleet.load(fleet.balance(), per_second=per_second, seconds=seconds, name=name)
    return Load(process=process, rows=folder / f"{title}.csv", log=folder / f"{title}.log")


def dollars(fleet: LiveFleet, pools: Iterable[str], *, begin: float, end: float) -> Decimal:
    """Price of the lives of the pools' nodes between two epoch times, boot and idling included."""
    wanted = set(pools)
    lifetimes = read_lifetimes(fleet.stack.lifetimes_file)
    return sum(
        (one.cost(start=begin, end=end) for one in lifetimes if one.pool in wanted), Decimal(0)
    )
