"""Prometheus of a bundled cluster: one way to find real and simulated pods alike.

A pod is scraped when it runs and a container has a port named ``metrics``, the operator's where
it is named ``http``. Its address on loopback follows from its pod address (`addresses`); the pods
of kwok nodes, where nothing listens, are all asked from one exporter with the parameters
``namespace`` and ``pod``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from e2e.rig.addresses import PodRange
from e2e.rig.programs import Ports
from e2e.rig.users import UserFiles

NODE_KIND_LABEL = "inferencecost.dev/node-kind"
PROCESS_NODE, KWOK_NODE = "process", "kwok"
OPERATOR_NAME = "inference-cost-operator"
RULES = Path(__file__).parents[2] / f"charts/{OPERATOR_NAME}/rules/inference-cost.rules.yaml"

_META = "__meta_kubernetes_"
_NODE_KIND = f"{_META}node_label_inferencecost_dev_node_kind"
_POD_NAME_LABEL = f"{_META}pod_label_app_kubernetes_io_name"

READER_ROLE: tuple[dict[str, Any], ...] = (
    {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": "rig-prometheus"},
        "rules": [
            {"apiGroups": [""], "resources": ["pods", "nodes"], "verbs": ["get", "list", "watch"]}
        ],
    },
    {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "rig-prometheus"},
        "roleRef": {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": "ClusterRole",
            "name": "rig-prometheus",
        },
        "subjects": [
            {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "prometheus"}
        ],
    },
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PrometheusSettings:
    """What differs between clusters."""

    scrape_interval_seconds: float
    api_url: str
    ca_file: Path
    users: UserFiles
    pods: PodRange
    exporter_address: str
    # Folder of target files, watched: extra jobs may come and go (see Cluster.add_scrape_target).
    extra_targets: Path


def configuration(settings: PrometheusSettings) -> str:
    """prometheus.yml as text."""
    # A scrape must end before the next begins.
    interval = round(settings.scrape_interval_seconds * 1000)
    content = {
        "global": {
            "scrape_interval": f"{interval}ms",
            "scrape_timeout": f"{min(round(interval * 0.75), 10_000)}ms",
            "evaluation_interval": f"{interval}ms",
        },
        "rule_files": [str(RULES)],
        "scrape_configs": [
            _pod_job("triton", settings, {"action": "drop"}, port="metrics"),
            _pod_job("operator", settings, {"action": "keep"}, port="http"),
            {
                "job_name": "extra",
                "file_sd_configs": [{"files": [f"{settings.extra_targets}/*.json"]}],
            },
        ],
    }
    return yaml.safe_dump(content, sort_keys=False)


def arguments(*, configuration_file: Path, data: Path, ports: Ports) -> Sequence[str]:
    """Command line of Prometheus."""
    return (
        f"--config.file={configuration_file}",
        f"--storage.tsdb.path={data}",
        f"--web.listen-address=127.0.0.1:{ports.prometheus}",
        "--web.enable-lifecycle",
        # Default 5 s, on top of the 5 s between two updates of discovery itself.
        "--scrape.discovery-reload-interval=1s",
        "--log.level=warn",
    )


def _pod_job(
    job: str, settings: PrometheusSettings, operator: dict[str, Any], *, port: str
) -> dict[str, Any]:
    discovery = {
        "role": "pod",
        "api_server": settings.api_url,
        "authorization": {"credentials_file": str(settings.users.token("prometheus"))},
        "tls_config": {"ca_file": str(settings.ca_file)},
        "attach_metadata": {"node": True},
    }
    choice = {"source_labels": [_POD_NAME_LABEL], "regex": OPERATOR_NAME, **operator}
    return {
        "job_name": job,
        # The operator's `namespace` is that of a policy.
        "honor_labels": job == "operator",
        "kubernetes_sd_configs": [discovery],
        "relabel_configs": [
            choice,
            {"source_labels": [f"{_META}pod_phase"], "regex": "Running", "action": "keep"},
            {
                "source_labels": [f"{_META}pod_container_port_name"],
                "regex": port,
                "action": "keep",
            },
            *_process_pods(settings.pods),
            *_simulated_pods(settings.exporter_address),
            _label("namespace", f"{_META}namespace"),
            _label("pod", f"{_META}pod_name"),
            _label("node", f"{_META}pod_node_name"),
            # One instance per pod, also where many are asked from one exporter.
            _rule(
                [f"{_META}pod_ip", f"{_META}pod_container_port_number"],
                r"(.+);(.+)",
                "instance",
                "$1:$2",
            ),
        ],
    }


def _process_pods(pods: PodRange) -> list[dict[str, Any]]:
    source = [_NODE_KIND, f"{_META}pod_ip", f"{_META}pod_container_port_number"]
    pattern = rf"{PROCESS_NODE};{pods.loopback_pattern};(\d+)"
    return [_rule(source, pattern, "__address__", f"{pods.loopback_replacement}:$2")]


def _simulated_pods(exporter: str) -> list[dict[str, Any]]:
    return [
        _rule([_NODE_KIND], KWOK_NODE, "__address__", exporter),
        _rule([_NODE_KIND, f"{_META}namespace"], f"{KWOK_NODE};(.+)", "__param_namespace", "$1"),
        _rule([_NODE_KIND, f"{_META}pod_name"], f"{KWOK_NODE};(.+)", "__param_pod", "$1"),
    ]


def _label(target: str, source: str) -> dict[str, Any]:
    return {"source_labels": [source], "target_label": target}


def _rule(source: list[str], regex: str, target: str, replacement: str) -> dict[str, Any]:
    return {
        "source_labels": source,
        "regex": regex,
        "target_label": target,
        "replacement": replacement,
    }
