"""A real Prometheus that scrapes an exporter of two pods and a gateway, once for all tests here."""

import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path

import pytest
import requests

from e2e.rig.binaries import Binaries
from e2e.rig.certificates import Certificates, create_certificates
from e2e.rig.envoy_metrics import CONTENT_TYPE, ClusterStats, bounds_with
from e2e.rig.ports import PortClaims
from e2e.rig.processes import Command, ManagedProcess, ProcessGroup
from tests.unit.account.worlds import NOON
from tests.unit.control.leaders import Process

REQUESTS_PER_SECOND = 50.0
BATCH = 5
PODS = ("resnet-7d4b9c6f5-x2x4z", "resnet-7d4b9c6f5-b9d8k")
SCRAPE_INTERVAL_SECONDS = 1
START_TIMEOUT_SECONDS = 30

CONFIGURATION = """\
global: {{scrape_interval: {interval}s, scrape_timeout: 900ms}}
scrape_configs:
- job_name: pods
  static_configs:
{pods}
- job_name: operator
  static_configs:
  - targets: ['127.0.0.1:{port}']
    labels: {{__metrics_path__: /operator, namespace: inference-cost, pod: operator-0}}
- job_name: gateway
  static_configs:
  - {{targets: ['127.0.0.1:{port}'], labels: {{__metrics_path__: /gateway}}}}
"""
POD = """\
  - targets: ['127.0.0.1:{port}']
    labels: {{__metrics_path__: /{pod}, namespace: vision, pod: {pod}, instance: {pod}}}"""
# Every target has been sampled often enough for a window.
SETTLED = "count(count_over_time(scrape_samples_scraped[5s]) >= 4)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where the running Prometheus answers, and its process."""

    url: str
    process: ManagedProcess


class Exporter(BaseHTTPRequestHandler):
    """Counters that grow with the clock, as two Tritons and an Envoy export them."""

    started = time.monotonic()

    def do_GET(self) -> None:
        pages = {"/gateway": gateway_page, "/operator": operator_page}
        page = pages.get(self.path, lambda: triton_page(self.elapsed))
        body = page().encode()
        self.send_response(200)
        self.send_header("Content-Type", CONTENT_TYPE)
        self.end_headers()
        self.wfile.write(body)

    @property
    def elapsed(self) -> float:
        return time.monotonic() - self.started

    def log_message(self, *_: object) -> None:
        """Nothing: the tests' output is for the tests."""


def triton_page(elapsed: float) -> str:
    requests = int(elapsed * REQUESTS_PER_SECOND)
    executions = requests // BATCH
    microseconds = requests * 65_000
    labels = '{model="sleepy",version="1"}'
    failures = "".join(
        f'nv_inference_request_failure{{model="sleepy",reason="{r}",version="1"}} 0\n'
        for r in ("REJECTED", "BACKEND")
    )
    return failures + "".join(
        f"nv_inference_{name}{labels} {value}\n"
        for name, value in (
            ("request_success", requests),
            ("count", requests),
            ("exec_count", executions),
            ("request_duration_us", 2 * microseconds),
            ("queue_duration_us", microseconds),
            ("compute_input_duration_us", 0),
            ("compute_infer_duration_us", microseconds),
            ("compute_output_duration_us", 0),
            ("pending_request_count", 3),
        )
    )


_STATS = ClusterStats("vision/resnet", bounds_with(300))


def gateway_page() -> str:
    """Each scrape sees a hundred more answers: nine tenths within 300 ms, and ten sheddings."""
    for index in range(100):
        _STATS.attempts += 1
        _STATS.answered(200, 120.0 if index < 90 else 700.0)
    for _ in range(10):
        _STATS.responded(503)
    return _STATS.exposition()


_OPERATOR = Process("operator-0")
_LOOKS = count()


def operator_page() -> str:
    """The operator's own metrics: each scrape is a look 15 s after the one before. Its policy costs 5.40 an hour."""
    _OPERATOR.tick(NOON + 15.0 * next(_LOOKS))
    return _OPERATOR.metrics.exposition().decode()


# A gateway that has run for a while: `increase` does not extrapolate a counter to below zero.
for _ in range(50):
    gateway_page()


@pytest.fixture(scope="session")
def prometheus(
    cluster_programs: Binaries, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Source]:
    folder = tmp_path_factory.mktemp("prometheus")
    exporter = ThreadingHTTPServer(("127.0.0.1", 0), Exporter)
    thread = threading.Thread(target=exporter.serve_forever, daemon=True)
    thread.start()
    claims = PortClaims()
    port = claims.claim()
    try:
        with ProcessGroup() as group:
            process = group.start(
                _command(cluster_programs["prometheus"], folder, port, exporter.server_port)
            )
            url = f"http://127.0.0.1:{port}"
            _wait_until_settled(url, process)
            yield Source(url=url, process=process)
    finally:
        exporter.shutdown()
        exporter.server_close()
        thread.join()
        claims.release()


def _command(program: Path, folder: Path, port: int, exporter_port: int) -> Command:
    pods = "\n".join(POD.format(port=exporter_port, pod=pod) for pod in PODS)
    configuration = CONFIGURATION.format(
        interval=SCRAPE_INTERVAL_SECONDS, pods=pods, port=exporter_port
    )
    (folder / "prometheus.yml").write_text(configuration)
    return Command(
        name="prometheus",
        arguments=[
            str(program),
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
        ],
        log=folder / "log",
    )


def _wait_until_settled(url: str, process: ManagedProcess) -> None:
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    while time.monotonic() < deadline:
        process.fail_if_ended()
        with suppress(requests.RequestException):
            answer = requests.get(f"{url}/api/v1/query", params={"query": SETTLED}, timeout=2)
            found = answer.json()["data"]["result"] if answer.ok else []
            if found and found[0]["value"][1] == str(len(PODS) + 2):
                return
        time.sleep(0.2)
    raise TimeoutError(f"Prometheus has no samples; its log ends:\n{process.log_tail()}")


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """A CA of our own and a serving certificate for 127.0.0.1."""
    return create_certificates(tmp_path_factory.mktemp("tls") / "made", service_address="10.0.0.1")
