"""Open-loop load: each request goes out at its given time, whatever became of the ones before.

Run: `python -m e2e.rig.load --url http://127.0.0.1:PORT --model sleepy --arrivals FILE --out requests.csv`.
Arrivals: one instant per line, seconds from the start, ascending. Each second one JSON object goes to stdout
(`Progress`), the first line is `{"startedAt": <epoch seconds>}`. The latency counts from the scheduled time,
so that a delay in this process is never hidden. An answer other than 200, a broken connection and a timeout
have ok=0; their latency is the time until they failed.
"""

import argparse
import asyncio
import contextlib
import csv
import gc
import json
import signal
import statistics
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TextIO

import aiohttp
import uvloop

HEADER = ("t_s", "latencyMilliseconds", "ok")
WINDOW_SECONDS = 5.0
# One inference of the rig's `sleepy` model.
SLEEPY_BODY = json.dumps(
    {"inputs": [{"name": "INPUT0", "shape": [1, 1], "datatype": "FP32", "data": [1.0]}]}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadSettings:
    url: str  # of the load balancer
    model: str
    body: str = SLEEPY_BODY
    timeout_seconds: float = 5.0
    objective_milliseconds: float = 300.0
    measured_from_seconds: float = 60.0  # the attainment counts from here on

    @property
    def infer_url(self) -> str:
        return f"{self.url.rstrip('/')}/v2/models/{self.model}/infer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """State after `t_s` seconds. Percentiles are those of the answers of the last five seconds, 0 without any."""

    t_s: float
    sent: int
    ok: int
    late: int  # beyond the objective, failed or timed out
    failed: int
    measured: int  # finished, of those sent from `measured_from_seconds` on
    measuredLate: int  # noqa: N815 - of these, late
    inFlight: int  # noqa: N815 - JSON names
    ratePerSecond: float  # noqa: N815 - sent during the last second
    p50Milliseconds: float  # noqa: N815
    p99Milliseconds: float  # noqa: N815
    behindMilliseconds: float  # noqa: N815 - largest delay of a send in the last second


def read_arrivals(path: Path) -> list[float]:
    return [float(line) for line in path.read_text(encoding="ascii").split()]


def write_arrivals(path: Path, arrivals_seconds: Sequence[float]) -> None:
    path.write_text("".join(f"{t:.6f}\n" for t in arrivals_seconds), encoding="ascii")


def last_progress(log: Path) -> Progress | None:
    """The latest line of a running load; None before the first second."""
    with contextlib.suppress(FileNotFoundError):
        for line in reversed(log.read_text(encoding="utf-8").splitlines()):
            with contextlib.suppress(ValueError, TypeError):
                return Progress(**json.loads(line))
    return None


class Recorder:
    """Writes one row per finished request and keeps what the progress line needs."""

    def __init__(self, out: TextIO, settings: LoadSettings) -> None:
        self._out = out
        self._writer = csv.writer(out, lineterminator="\n")
        self._writer.writerow(HEADER)
        self._settings = settings
        self._recent: deque[tuple[float, float]] = deque()
        self._sent = self._ok = self._late = self._finished = self._sent_before = 0
        self._measured = self._measured_late = 0
        self._behind_seconds = 0.0

    def sent(self, behind_seconds: float) -> None:
        self._sent += 1
        self._behind_seconds = max(self._behind_seconds, behind_seconds)

    def finished(self, t_s: float, latency_seconds: float, *, ok: bool) -> None:
        milliseconds = latency_seconds * 1000
        self._finished += 1
        self._ok += ok
        late = not ok or milliseconds > self._settings.objective_milliseconds
        self._late += late
        if t_s >= self._settings.measured_from_seconds:
            self._measured += 1
            self._measured_late += late
        self._recent.append((t_s + latency_seconds, milliseconds))
        self._writer.writerow((f"{t_s:.6f}", f"{milliseconds:.3f}", int(ok)))

    def progress(self, t_s: float, since_last_seconds: float = 1.0) -> Progress:
        """The line for now; resets what counts from line to line."""
        self._out.flush()
        while self._recent and self._recent[0][0] < t_s - WINDOW_SECONDS:
            self._recent.popleft()
        percentiles = _percentiles([milliseconds for _, milliseconds in self._recent])
        progress = Progress(
            t_s=round(t_s, 3),
            sent=self._sent,
            ok=self._ok,
            late=self._late,
            failed=self._finished - self._ok,
            measured=self._measured,
            measuredLate=self._measured_late,
            inFlight=self._sent - self._finished,
            ratePerSecond=round((self._sent - self._sent_before) / since_last_seconds, 1),
            p50Milliseconds=round(percentiles[49], 1),
            p99Milliseconds=round(percentiles[98], 1),
            behindMilliseconds=round(self._behind_seconds * 1000, 1),
        )
        self._sent_before, self._behind_seconds = self._sent, 0.0
        return progress


def _percentiles(values: list[float]) -> list[float]:
    if len(values) < 2:
        return (values or [0.0]) * 99
    return statistics.quantiles(values, n=100, method="inclusive")


async def generate(
    settings: LoadSettings, arrivals_seconds: Sequence[float], out: TextIO
) -> Progress:
    """Send everything, wait for the last answer, and return the last progress."""
    recorder = Recorder(out, settings)
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=30),
        timeout=aiohttp.ClientTimeout(total=settings.timeout_seconds),
        headers={"Content-Type": "application/json"},
        cookie_jar=aiohttp.DummyCookieJar(),
    ) as session:
        print(json.dumps({"startedAt": time.time()}), flush=True)
        origin = asyncio.get_running_loop().time()
        reporting = asyncio.create_task(_report(recorder, origin))
        try:
            await _send_all(session, settings, arrivals_seconds, recorder, origin)
        finally:
            reporting.cancel()
    return recorder.progress(asyncio.get_running_loop().time() - origin)


async def _send_all(
    session: aiohttp.ClientSession,
    settings: LoadSettings,
    arrivals_seconds: Sequence[float],
    recorder: Recorder,
    origin: float,
) -> None:
    loop = asyncio.get_running_loop()
    body = settings.body.encode()

    async def send(t_s: float) -> None:
        recorder.sent(loop.time() - origin - t_s)
        ok = False
        with contextlib.suppress(aiohttp.ClientError, TimeoutError):
            async with session.post(settings.infer_url, data=body) as response:
                await response.read()
                ok = response.status == 200
        recorder.finished(t_s, loop.time() - origin - t_s, ok=ok)

    async with asyncio.TaskGroup() as requests:
        for t_s in arrivals_seconds:
            wait = origin + t_s - loop.time()
            if wait > 0:
                await asyncio.sleep(wait)
            requests.create_task(send(t_s))


async def _report(recorder: Recorder, origin: float) -> None:
    loop = asyncio.get_running_loop()
    last = origin
    while True:
        await asyncio.sleep(1 - (loop.time() - origin) % 1)
        now = loop.time()
        print(json.dumps(asdict(recorder.progress(now - origin, now - last))), flush=True)
        last = now


async def run(settings: LoadSettings, arrivals: Path, out: Path) -> None:
    """Generate the load until done or told to stop; what has finished by then is in the file."""
    instants = read_arrivals(arrivals)
    with out.open("w", encoding="ascii", newline="") as file:
        work = asyncio.create_task(generate(settings, instants, file))
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, work.cancel)
        with contextlib.suppress(asyncio.CancelledError):
            print(json.dumps(asdict(await work)), flush=True)


def parser() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(prog="e2e.rig.load", description=__doc__)
    options.add_argument("--url", required=True, help="base URL of the load balancer")
    options.add_argument("--model", required=True)
    options.add_argument("--arrivals", type=Path, required=True, help="file of instants")
    options.add_argument("--out", type=Path, required=True, help="requests.csv to write")
    options.add_argument("--timeout", type=float, default=5.0, help="seconds")
    options.add_argument("--body", default=SLEEPY_BODY, help="JSON of one inference request")
    options.add_argument("--objective-milliseconds", type=float, default=300.0)
    options.add_argument("--measured-from", type=float, default=60.0, help="seconds")
    return options


def main() -> None:
    options = parser().parse_args()
    settings = LoadSettings(
        url=options.url,
        model=options.model,
        body=options.body,
        timeout_seconds=options.timeout,
        objective_milliseconds=options.objective_milliseconds,
        measured_from_seconds=options.measured_from,
    )
    gc.freeze()
    uvloop.run(run(settings, options.arrivals, options.out))


if __name__ == "__main__":
    main()
