"""What the user sees: what is being prepared, then a live table (one line per ten seconds without a terminal)."""

import sys
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from e2e.demo.summary import Summary
from e2e.demo.watch import Fleet
from e2e.rig.cluster import Cluster

PLAIN_LINE_SECONDS = 10.0
HISTORY_ROWS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One second of the demo. Latencies are the client's, over the last five seconds."""

    t_s: float
    requests_per_second: float
    waiting: float | None  # in Triton's queues; None before the first sample
    p50_milliseconds: float
    p99_milliseconds: float
    attainment_percent: float | None  # from the start of the rated phase
    desired: int
    ready: int
    nodes: int
    dollars_per_hour: float
    reason: str


COLUMNS = (
    "second",
    "req/s",
    "waiting",
    "p50 ms",
    "p99 ms",
    "in time",
    "replicas",
    "nodes",
    "$/h",
    "why",
)


def cells(frame: Frame, objective_milliseconds: float) -> tuple[str, ...]:
    late = "!" if frame.p99_milliseconds > objective_milliseconds else ""
    replicas = (
        f"{frame.ready}" if frame.ready == frame.desired else f"{frame.ready}→{frame.desired}"
    )
    return (
        f"{frame.t_s:.0f}",
        f"{frame.requests_per_second:.0f}",
        "-" if frame.waiting is None else f"{frame.waiting:.0f}",
        f"{frame.p50_milliseconds:.0f}",
        f"{frame.p99_milliseconds:.0f}{late}",
        "-" if frame.attainment_percent is None else f"{frame.attainment_percent:.2f} %",
        replicas,
        f"{frame.nodes}",
        f"{frame.dollars_per_hour:.2f}",
        frame.reason,
    )


class Screen:
    """Prints steps at once, and frames as they come."""

    def __init__(self, *, objective_milliseconds: float, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False)
        self._objective = objective_milliseconds
        self._frames: deque[Frame] = deque(maxlen=HISTORY_ROWS)
        self._live: Live | None = None
        self._last_line = float("-inf")
        self._started = time.monotonic()

    def step(self, text: str) -> None:
        """Say what happens next, with the seconds since the start."""
        self.console.print(
            f"[{time.monotonic() - self._started:6.1f} s] {text}", markup=False, soft_wrap=True
        )

    @contextmanager
    def table(self) -> Iterator[None]:
        """While open, frames are shown: in place on a terminal, as lines elsewhere."""
        if not self.console.is_terminal:
            self.console.print(_plain(COLUMNS), markup=False)
            yield
            return
        with Live(console=self.console, refresh_per_second=4) as self._live:
            yield

    def show(self, frame: Frame) -> None:
        if self._live is not None:
            self._remember(frame)
            self._live.update(self._render(frame))
        elif frame.t_s - self._last_line >= PLAIN_LINE_SECONDS:
            self._last_line = frame.t_s
            self.console.print(_plain(cells(frame, self._objective)), markup=False, soft_wrap=True)
            sys.stdout.flush()

    def summary(self, summary: Summary, folder: Path) -> None:
        """The result in four lines, and where everything is."""
        s = summary
        lines = (
            f"in time      {s['attainmentPercent']:.3f} % of {s['requests']} requests at the client, from second 60 on",
            f"latency      p50 {s['p50Milliseconds']:.0f} ms, p99 {s['p99Milliseconds']:.0f} ms",
            f"cost         ${s['costDollars']:.4f} for the GPU nodes",
            f"static fleet ${s['staticCostDollars']:.4f} ({s['staticReplicas']} replicas, known beforehand)",
            f"saving       {s['savingPercent']:.1f} %, with {s['scaleEvents']} changes of replicas",
            f"see          {folder}/index.html, summary.json, requests.csv, replicas.csv",
        )
        for line in lines:
            self.console.print(line, markup=False, soft_wrap=True)

    def look_around(self, cluster: Cluster, fleet: Fleet) -> None:
        """How to look at what is still running."""
        where = f"-n {fleet.namespace}"
        for line in (
            "still running; in another terminal:",
            f"  export KUBECONFIG={cluster.kubeconfig}",
            f"  kubectl get icp {where}",
            f"  kubectl get deploy,pods {where} -o wide",
            "  kubectl get nodes -L karpenter.sh/capacity-type,node.kubernetes.io/instance-type",
            f"  kubectl get events {where} --sort-by=.lastTimestamp",
            f"  .venv/bin/kubectl-inference_cost explain {fleet.name} {where}",
            f"  Prometheus: {cluster.prometheus_url}",
            f"  logs of all parts: {cluster.logs}",
            "Ctrl-C stops everything.",
        ):
            self.console.print(line, markup=False, soft_wrap=True)

    def _remember(self, frame: Frame) -> None:
        """Keep a row per ten seconds and one per change of the wanted replicas."""
        last = self._frames[-1] if self._frames else None
        if (
            last is None
            or frame.t_s - last.t_s >= PLAIN_LINE_SECONDS
            or frame.desired != last.desired
        ):
            self._frames.append(frame)

    def _render(self, now: Frame) -> Group:
        table = Table(box=None, pad_edge=False, expand=True)
        for name in COLUMNS:
            table.add_column(
                name, justify="left" if name == "why" else "right", no_wrap=name != "why"
            )
        for frame in self._frames:
            table.add_row(*cells(frame, self._objective), style="dim")
        table.add_row(*cells(now, self._objective), style="bold")
        objective = Text(f"objective: 99 % of requests within {self._objective:.0f} ms")
        return Group(objective, table)


def _plain(values: tuple[str, ...]) -> str:
    widths = (6, 6, 7, 6, 6, 9, 8, 5, 6, 0)
    return "  ".join(f"{value:>{width}}" for value, width in zip(values, widths, strict=True))
