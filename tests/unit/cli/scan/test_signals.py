"""What is asked of Prometheus about a workload, and what is said where it has little or nothing."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from inference_cost.cli.listing import Unread
from inference_cost.cli.prometheus import Prometheus
from inference_cost.cli.prometheus_access import PrometheusAccess
from inference_cost.cli.scan.learned import busy_fraction
from inference_cost.cli.scan.signals import Signals, signals_of
from inference_cost.cli.scan.workloads import WorkloadKey
from tests.unit.cli.served import served

NOW = 1_769_860_800.0
RESNET = WorkloadKey(namespace="vision", kind="Deployment", name="resnet")
PODS, RATE, SECONDS = 4.0, 40.0, 0.03
Labels = dict[str, str]
# By a pattern of the query: labels and the value at a time, None where there is nothing.
Rows = list[tuple[str, list[tuple[Labels, Callable[[float], float | None]]]]]


def fleet(since: float, *, copies: int = 1) -> Rows:
    """Four pods with 40 requests/s of 30 ms each since then, in a batch of one."""

    def alive(value: float) -> Callable[[float], float | None]:
        return lambda t: value if t >= since else None

    requests = alive(RATE * 300)
    return [
        (r"\[10m\]$", [({}, lambda t: t if t >= since else None)]),
        (r"> 1$", [({"pod": "resnet-a-00001"}, alive(copies))] if copies > 1 else []),
        (r"^count\(count by", [({}, alive(PODS))]),
        (r"increase\(nv_inference_compute", [({"model": "resnet"}, alive(RATE * 300 * SECONDS * 1e6))]),
        (r"increase\(", [({"model": "resnet"}, requests)]),
        (r"^sum\(rate", [({}, alive(RATE))]),
        (r"", []),
    ]  # fmt: skip


def answer(rows: Rows, query: dict[str, str], *, ranged: bool) -> list[dict[str, Any]]:
    found = next(series for pattern, series in rows if re.search(pattern, query["query"]))
    if not ranged and query["query"].endswith("[10m]"):
        times = [float(query["time"]) - 15.0 * i for i in range(40, -1, -1)]
    elif not ranged:
        times = [float(query["time"])]
    else:
        start, end, step = (float(query[key]) for key in ("start", "end", "step"))
        times = [start + i * step for i in range(int((end - start) / step) + 1)]
    told = []
    for labels, value in found:
        values = [[t, str(v)] for t in times if (v := value(t)) is not None]
        if values and (ranged or query["query"].endswith("[10m]")):
            told.append({"metric": labels, "values": values})
        elif values:
            told.append({"metric": labels, "value": values[-1]})
    return told


@contextmanager
def prometheus(rows: Rows) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {key: value[0] for key, value in parse_qs(parts.query).items()}
            ranged = parts.path.endswith("query_range")
            data = {"resultType": "matrix", "result": answer(rows, query, ranged=ranged)}
            body = json.dumps({"status": "success", "data": data}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with served(Handler) as url:
        yield url


def read(rows: Rows, seconds: float = 6 * 3600) -> Signals | Unread:
    with prometheus(rows) as url:
        access = PrometheusAccess(url=url)
        return signals_of(Prometheus(access), access, RESNET, NOW, seconds)


def test_replicas_requests_and_work_of_the_time_that_was_asked_for() -> None:
    found = read(fleet(NOW - 86_400))
    assert isinstance(found, Signals)
    assert (found.step_seconds, found.scrape_seconds) == (30.0, 15.0)
    assert found.seconds == pytest.approx(6 * 3600, abs=60)
    assert set(found.replicas.tolist()) == {PODS}
    assert found.traffic.mean_rate == pytest.approx(RATE)
    assert found.requests == {"resnet": pytest.approx(RATE * found.seconds, rel=0.02)}
    assert busy_fraction(found) == pytest.approx(RATE * SECONDS / PODS, rel=0.02)
    assert (found.duplicated, found.histogram, found.language_models) == ((), False, False)
    assert found.left_out_seconds == pytest.approx(30.0)


def test_a_younger_workload_is_read_since_its_start() -> None:
    found = read(fleet(NOW - 3600))
    assert isinstance(found, Signals)
    assert found.seconds == pytest.approx(3600, abs=120)
    assert found.left_out_seconds == pytest.approx(5 * 3600, abs=120)


def test_pods_that_are_scraped_twice_are_named() -> None:
    found = read(fleet(NOW - 86_400, copies=2))
    assert isinstance(found, Signals)
    assert found.duplicated == ("resnet-a-00001",)


LITTLE = {
    "nothing": (fleet(NOW + 1), "Prometheus has no nv_inference_request_success of its pods in the last 6 hours"),
    "three minutes": (fleet(NOW - 240), "minutes of its metrics so far, and 5 are the least"),
}  # fmt: skip


@pytest.mark.parametrize("sentence", LITTLE)
def test_what_is_too_little_is_said_as_it_is(sentence: str) -> None:
    rows, why = LITTLE[sentence]
    found = read(rows)
    assert isinstance(found, Unread)
    assert why in found.why


def test_a_gap_that_is_too_long_leaves_the_longer_side() -> None:
    whole = fleet(NOW - 86_400)
    begin, end = NOW - 4 * 3600, NOW - 2 * 3600

    def hole(value: Callable[[float], float | None]) -> Callable[[float], float | None]:
        return lambda t: None if begin <= t < end else value(t)

    rows: Rows = [(p, [(labels, hole(v)) for labels, v in series]) for p, series in whole]
    found = read(rows, seconds=10 * 3600)
    assert isinstance(found, Signals)
    assert found.period.end == pytest.approx(begin, abs=60)
    assert found.left_out_seconds == pytest.approx(4 * 3600, abs=120)
