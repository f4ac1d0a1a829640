"""A real Prometheus that has days of a Triton fleet behind it, scraped at once from pages with times of their own."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import requests
import yaml

from e2e.rig.binaries import ensure
from e2e.rig.kube import wait_for
from e2e.rig.ports import claimed_ports
from e2e.rig.processes import Command, ProcessGroup

SCRAPE_SECONDS = 60
DAY = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class PastFleet:
    """Pods `name-hash-0000i` that shared `rate(t)` requests/s evenly, each in a batch of one.

    `pods(t)`: how many there were, t in seconds from the start.
    """

    namespace: str
    name: str
    days: float
    rate: Callable[[float], float]
    pods: Callable[[float], int]
    batch_seconds: float
    template_hash: str = "7d9f8b"
    model: str = "resnet"

    def pod(self, number: int) -> str:
        return f"{self.name}-{self.template_hash}-{number:05d}"

    def page(self, end: float) -> str:
        """Its counters at each scrape until `end` (epoch seconds), in order of time."""
        counted: dict[int, float] = {}
        lines = []
        start = end - self.days * DAY
        for k in range(int(self.days * DAY / SCRAPE_SECONDS) + 1):
            t = k * SCRAPE_SECONDS
            alive = self.pods(t)
            counted = {i: counted.get(i, 0.0) for i in range(alive)}
            for i in counted:
                counted[i] += self.rate(t) * SCRAPE_SECONDS / alive
                lines += self._lines(self.pod(i), counted[i], round((start + t) * 1000))
        return "\n".join(lines) + "\n"

    def _lines(self, pod: str, requests: float, at: int) -> Iterator[str]:
        labels = f'{{namespace="{self.namespace}",pod="{pod}",model="{self.model}",version="1"}}'
        micros = requests * self.batch_seconds * 1e6
        for name, value in (
            ("request_success", requests),
            ("request_failure", 0),
            ("count", requests),
            ("exec_count", requests),
            ("compute_input_duration_us", 0),
            ("compute_infer_duration_us", micros),
            ("compute_output_duration_us", 0),
        ):
            yield f"nv_inference_{name}{labels} {value:.0f} {at}"


@contextmanager
def prometheus_with(folder: Path, *fleets: PastFleet) -> Iterator[str]:
    """Its URL, once all of their past is in it."""
    program = ensure("prometheus")["prometheus"]
    with (
        _server([fleet.page(time.time()) for fleet in fleets]) as address,
        claimed_ports() as ports,
    ):
        port, file = ports.claim(), folder / "prometheus.yml"
        file.write_text(yaml.safe_dump(_configuration(address, len(fleets))))
        with ProcessGroup() as processes:
            processes.start(
                Command(
                    name="prometheus",
                    arguments=(
                        str(program),
                        f"--config.file={file}",
                        f"--storage.tsdb.path={folder / 'data'}",
                        f"--web.listen-address=127.0.0.1:{port}",
                    ),
                    log=folder / "prometheus.log",
                )
            )
            url = f"http://127.0.0.1:{port}"
            wait_for(lambda: _complete(url, fleets), timeout_seconds=90, what="the past")
            yield url


def _configuration(address: str, count: int) -> dict[str, object]:
    """Scraped once: the next scrape would be after the test."""
    jobs = [
        {
            "job_name": f"past-{i}",
            "honor_labels": True,
            "metrics_path": f"/{i}",
            "scrape_interval": "2s",
            "static_configs": [{"targets": [address]}],
        }
        for i in range(count)
    ]
    return {
        "global": {"scrape_timeout": "2s"},
        "storage": {"tsdb": {"out_of_order_time_window": "60d"}},
        "scrape_configs": jobs,
    }


def _complete(url: str, fleets: tuple[PastFleet, ...]) -> bool:
    """Whether the first and the last sample of each fleet are there."""
    return all(_has(url, fleet, at) for fleet in fleets for at in (fleet.days * DAY - 600, 60))


def _has(url: str, fleet: PastFleet, ago: float) -> bool:
    query = f'nv_inference_count{{namespace="{fleet.namespace}"}}'
    asked = {"query": query, "time": f"{time.time() - ago:.0f}"}
    try:
        answer = requests.get(f"{url}/api/v1/query", params=asked, timeout=5)
    except requests.ConnectionError:
        return False
    return bool(answer.ok and answer.json()["data"]["result"])


@contextmanager
def _server(pages: list[str]) -> Iterator[str]:
    """Each page once; afterwards it is empty, for all of it is told."""
    left = [page.encode() for page in pages]

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            number = int(self.path.partition("?")[0].strip("/"))
            body, left[number] = left[number], b"# nothing new\n"
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
