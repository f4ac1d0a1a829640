"""Which service is taken for a Prometheus, and what kubectl's port-forward says."""

import os
from pathlib import Path
from typing import Any

import pytest

from inference_cost.cli.failure import CommandError
from inference_cost.cli.scan.port_forward import Service, forwarded, likely, parse_service

PROMETHEUS = Service(namespace="monitoring", name="prometheus-operated")


def service(name: str, *ports: tuple[int, str], **labels: str) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "namespace": "monitoring", "labels": labels},
        "spec": {"ports": [{"port": port, "name": text} for port, text in ports]},
    }


LIKELY: dict[str, tuple[list[dict[str, Any]], list[str]]] = {
    "prometheus-operator's": (
        [service("prometheus-operated", (9090, "web")), service("alertmanager-operated", (9093, "web"))],
        ["monitoring/prometheus-operated:9090"],
    ),
    "of a chart, on port 80": ([service("prometheus-server", (80, "http"))], ["monitoring/prometheus-server:80"]),
    "what is about it is none": (
        [service(f"prometheus-{name}", (9100, "http")) for name in ("node-exporter", "operator", "adapter")], [],
    ),
    "the likeliest first": (
        [service("my-prometheus", (9090, "")), service("prometheus", (9090, ""))],
        ["monitoring/prometheus:9090", "monitoring/my-prometheus:9090"],
    ),
    "the port that speaks HTTP": (
        [service("prometheus", (10901, "grpc"), (8080, "web"))], ["monitoring/prometheus:8080"],
    ),
    "headless without ports": ([service("prometheus")], []),
}  # fmt: skip


@pytest.mark.parametrize("sentence", LIKELY)
def test_likely(sentence: str) -> None:
    services, expected = LIKELY[sentence]
    assert [str(one) for one in likely(services)] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a/b", Service(namespace="a", name="b")),
        ("a/b:80", Service(namespace="a", name="b", port=80)),
    ],
)
def test_parse(text: str, expected: Service) -> None:
    assert parse_service(text) == expected


@pytest.mark.parametrize("text", ["b", "a/b:web", "a/b/c", ""])
def test_parse_refuses(text: str) -> None:
    with pytest.raises(CommandError, match="NAMESPACE/NAME"):
        parse_service(text)


def kubectl(folder: Path, script: str) -> str:
    file = folder / "kubectl"
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return str(file)


def test_the_address_is_what_kubectl_tells_and_it_ends_with_the_context(tmp_path: Path) -> None:
    told = tmp_path / "told"
    script = f'echo "$$ $@" > {told}; echo "Forwarding from 127.0.0.1:31234 -> 9090"; exec sleep 60'
    with forwarded(PROMETHEUS, ("--context", "c"), kubectl(tmp_path, script)) as url:
        assert url == "http://127.0.0.1:31234"
    pid, _, arguments = told.read_text().partition(" ")
    assert arguments.split() == [
        *("port-forward", "--context", "c", "-n", "monitoring"),
        *("service/prometheus-operated", ":9090", "--address", "127.0.0.1"),
    ]
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid), 0)


def test_a_refusal_is_told_in_kubectl_s_words(tmp_path: Path) -> None:
    script = 'echo "error: services \\"x\\" not found" >&2; exit 1'
    with (
        pytest.raises(CommandError, match='services "x" not found; give the address with'),
        forwarded(PROMETHEUS, (), kubectl(tmp_path, script)),
    ):
        pass


def test_without_kubectl(tmp_path: Path) -> None:
    with (
        pytest.raises(CommandError, match="kubectl cannot be run"),
        forwarded(PROMETHEUS, (), str(tmp_path / "none")),
    ):
        pass
