"""Whole operator processes, started as a Deployment would start them."""

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from e2e.rig.kube import wait_for

SHORT_LEASE = {
    "INFERENCE_COST_LEASE__DURATION_SECONDS": "3",
    "INFERENCE_COST_LEASE__RENEW_DEADLINE_SECONDS": "2",
    "INFERENCE_COST_LEASE__RETRY_SECONDS": "0.4",
}


class OperatorProcess:
    """`python -m inference_cost.control.main` with a kubeconfig; a context manager that leaves nothing behind."""

    def __init__(
        self, name: str, kubeconfig: Path, folder: Path, settings: dict[str, str] | None = None
    ) -> None:
        self.log = folder / f"{name}.log"
        environment = {
            **os.environ,
            **SHORT_LEASE,
            "PYTHONPATH": "operator",
            "POD_NAME": name,
            "KUBECONFIG": str(kubeconfig),
            "INFERENCE_COST_HTTP__HOST": "127.0.0.1",
            "INFERENCE_COST_HTTP__PORT": "0",
            "INFERENCE_COST_LOOP__TICK_SECONDS": "1",
            **(settings or {}),
        }
        with self.log.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "inference_cost.control.main"],
                env=environment,
                stdout=output,
                stderr=output,
            )
        self.name = name

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        if error is not None:
            sys.stderr.write(f"--- {self.name}\n{self.log.read_text()[-4000:]}\n")

    def events(self, name: str) -> list[dict[str, Any]]:
        """Log lines of one event."""
        lines = (json.loads(line) for line in self.log.read_text().splitlines() if line[:1] == "{")
        return [line for line in lines if line["event"] == name]

    def wait_for_event(self, name: str, *, seconds: float = 20.0) -> dict[str, Any]:
        found = wait_for(lambda: self.events(name), timeout_seconds=seconds, what=f"event {name}")
        return found[0]

    def get(self, path: str) -> tuple[int, str]:
        """One request to the probes' port."""
        port = self.wait_for_event("listening")["port"]
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def metric(self, series: str) -> float:
        """Value of one series; zero while it does not exist."""
        _, text = self.get("/metrics")
        found = [line for line in text.splitlines() if line.startswith(f"{series} ")]
        return float(found[0].split()[-1]) if found else 0.0

    def terminate(self, *, seconds: float = 10.0) -> int:
        """SIGTERM, as the kubelet sends it. Returns the exit code."""
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(timeout=seconds)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def freeze(self) -> None:
        """As a machine that stands still does."""
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def wait(self, *, seconds: float) -> int:
        return self._process.wait(timeout=seconds)
