"""A Prometheus inside the cluster, reached through kubectl's port-forward."""

import re
import subprocess
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from inference_cost.cli.failure import CommandError, usage
from inference_cost.observe.fields import labels_of, mapping, sequence

WAIT_SECONDS: Final = 20.0
DEFAULT_PORT: Final = 9090
_FORWARDING: Final = re.compile(r"Forwarding from (127\.0\.0\.1:\d+)")
_SERVICE: Final = re.compile(r"([a-z0-9.-]+)/([a-z0-9.-]+)(?::(\d+))?")
_NAMES: Final = ("prometheus", "prometheus-server", "prometheus-operated", "prometheus-k8s")
_OTHERS: Final = re.compile(
    r"alertmanager|exporter|operator|grafana|pushgateway|adapter|state-metrics"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    namespace: str
    name: str
    port: int = DEFAULT_PORT

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}:{self.port}"


def parse_service(text: str) -> Service:
    """Of `--prometheus-service`.

    Raises:
        CommandError: it is not NAMESPACE/NAME or NAMESPACE/NAME:PORT.
    """
    found = _SERVICE.fullmatch(text)
    if not found:
        raise usage(f"--prometheus-service {text}: must be NAMESPACE/NAME or NAMESPACE/NAME:PORT")
    return Service(namespace=found[1], name=found[2], port=int(found[3] or DEFAULT_PORT))


def likely(services: Iterable[Mapping[str, Any]]) -> list[Service]:
    """Services that look like a Prometheus, the likeliest first."""
    found = [(rank, s) for one in services if (rank := _rank(one)) and (s := _service(one))]
    return [one for _, one in sorted(found, key=lambda pair: (-pair[0], str(pair[1])))]


def _rank(obj: Mapping[str, Any]) -> int:
    metadata = mapping(obj.get("metadata"))
    name, labels = str(metadata.get("name", "")), labels_of(metadata.get("labels"))
    if _OTHERS.search(name):
        return 0
    if name in _NAMES:
        return 3
    if labels.get("app.kubernetes.io/name") == "prometheus":
        return 2
    return 1 if "prometheus" in name else 0


def _service(obj: Mapping[str, Any]) -> Service | None:
    """With the port that speaks HTTP: 9090, or one that is named so."""
    metadata, ports = (
        mapping(obj["metadata"]),
        list(sequence(mapping(obj.get("spec")).get("ports"))),
    )
    numbers = [int(port.get("port") or 0) for port in ports]
    named = [int(p["port"]) for p in ports if str(p.get("name", "")).startswith(("http", "web"))]
    if not numbers:
        return None
    port = DEFAULT_PORT if DEFAULT_PORT in numbers else (named or numbers)[0]
    return Service(namespace=str(metadata["namespace"]), name=str(metadata["name"]), port=port)


@contextmanager
def forwarded(service: Service, more: Sequence[str], kubectl: str = "kubectl") -> Iterator[str]:
    """The URL while kubectl forwards. `more`: its --kubeconfig and --context.

    Raises:
        CommandError: kubectl is not there, or cannot forward; in its words.
    """
    command = [
        *(kubectl, "port-forward", *more, "-n", service.namespace),
        *(f"service/{service.name}", f":{service.port}", "--address", "127.0.0.1"),
    ]
    try:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
    except OSError as error:
        raise CommandError(
            f"kubectl cannot be run ({error.strerror}): give the address with --prometheus-url"
        ) from None
    with process:
        try:
            yield f"http://{_address(process, service)}"
        finally:
            process.terminate()


def _address(process: subprocess.Popen[str], service: Service) -> str:
    """Where kubectl listens, which its first line tells."""
    assert process.stdout is not None  # noqa: S101 - asked for
    assert process.stderr is not None  # noqa: S101 - asked for
    timer = threading.Timer(WAIT_SECONDS, process.terminate)
    timer.start()
    try:
        for line in process.stdout:
            found = _FORWARDING.search(line)
            if found:
                return found[1]
    finally:
        timer.cancel()
    said = process.stderr.read().strip().splitlines()
    cause = said[-1].removeprefix("error: ") if said else f"no answer in {WAIT_SECONDS:g} s"
    raise CommandError(
        f"port-forward to {service}: {cause}; give the address with --prometheus-url, or ask for the right to create "
        "pods/portforward there"
    )


def for_kubectl(kubeconfig: str | None, context: str | None) -> tuple[str, ...]:
    """The same cluster for kubectl."""
    given = (("--kubeconfig", kubeconfig), ("--context", context))
    return tuple(part for name, value in given if value for part in (name, value))
