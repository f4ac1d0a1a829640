"""Stands for a test image; the first argument says what it does."""
# ruff: noqa: T201  # its output is the log that tests read

import contextlib
import json
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any


def report() -> None:
    """Print what a pod can see of itself, and which pods the API server shows to it."""
    import kubernetes.client  # noqa: PLC0415  # a second that the other actions need not wait
    import kubernetes.config  # noqa: PLC0415

    if "KUBECONFIG" in os.environ:
        kubernetes.config.load_kube_config()
    else:
        kubernetes.config.load_incluster_config()
    namespace = os.environ["POD_NAMESPACE"]
    pods = kubernetes.client.CoreV1Api().list_namespaced_pod(namespace).items
    seen = {
        "argument": sys.argv[2],
        "environment": dict(os.environ),
        "file": read(sys.argv[2]),
        "hostname": socket.gethostname(),
        "hosts": read("/etc/hosts"),
        "pods": [pod.metadata.name for pod in pods],
        "token": read("/var/run/secrets/kubernetes.io/serviceaccount/token"),
    }
    print(json.dumps(seen))
    serve()


def read(path: str) -> str:
    with contextlib.suppress(OSError):
        return Path(path).read_text()
    return ""


def serve() -> None:
    """Answer 200 until someone asks for /break, then 503."""

    class Handler(BaseHTTPRequestHandler):
        broken = False

        def do_GET(self) -> None:
            Handler.broken = Handler.broken or self.path == "/break"
            self.send_response(503 if Handler.broken else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    HTTPServer((os.environ["POD_IP"], 8080), Handler).serve_forever()


def crash() -> None:
    print("about to crash")
    sys.exit(3)


def stubborn() -> None:
    """Ignore SIGTERM, with a child that does the same."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.fork()
    print(f"pid {os.getpid()}")
    time.sleep(600)


def graceful() -> None:
    def leave(*_: object) -> None:
        print(f"SIGTERM at {time.time()}")
        sys.exit(0)

    signal.signal(signal.SIGTERM, leave)
    time.sleep(600)


def complete() -> None:
    print("done")


ACTIONS: dict[str, Callable[[], None]] = {
    action.__name__: action for action in (report, serve, crash, stubborn, graceful, complete)
}

if __name__ == "__main__":
    ACTIONS[sys.argv[1]]()
