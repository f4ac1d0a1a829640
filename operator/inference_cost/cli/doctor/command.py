"""`kubectl inference-cost doctor`: its options. What it needs is imported when it runs."""

from enum import StrEnum
from typing import Annotated

import typer

from inference_cost.cli import rendering
from inference_cost.cli.failure import ExitCode
from inference_cost.cli.options import (
    CaFile,
    Context,
    Everywhere,
    HeaderFiles,
    Kubeconfig,
    Matchers,
    Namespace,
    TokenFile,
)
from inference_cost.cli.prometheus_access import PrometheusAccess


class Output(StrEnum):
    TEXT = "text"
    JSON = "json"
    YAML = "yaml"


def doctor(
    *,
    prometheus_url: Annotated[
        str,
        typer.Option(
            metavar="URL",
            help="Prometheus as reached from here. Default: that of the operator's settings, by port-forward.",
        ),
    ] = "",
    prometheus_service: Annotated[
        str,
        typer.Option(
            metavar="NAMESPACE/NAME:PORT", help="Service to reach by kubectl's port-forward."
        ),
    ] = "",
    prometheus_bearer_token_file: TokenFile = "",
    prometheus_header_file: HeaderFiles = None,
    prometheus_ca_file: CaFile = "",
    prometheus_matchers: Matchers = "",
    namespace: Namespace = None,
    everywhere: Everywhere = False,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
    output: Annotated[Output, typer.Option("--output", "-o", help="Form of the output.")] = (
        Output.TEXT
    ),
) -> None:
    """Check the installation, its rights, the metrics and the workloads of policies; each finding with its fix.

    Reads only. Exit code 1 when something does not work.
    """
    from inference_cost.cli.cluster import connect  # noqa: PLC0415 - slow to import
    from inference_cost.cli.doctor import report  # noqa: PLC0415
    from inference_cost.cli.doctor.gathering import DoctorOptions, gather  # noqa: PLC0415
    from inference_cost.cli.listing import Where  # noqa: PLC0415
    from inference_cost.cli.scan.port_forward import for_kubectl  # noqa: PLC0415

    cluster = connect(kubeconfig, context)
    options = DoctorOptions(
        where=Where(namespace=namespace or cluster.namespace, everywhere=everywhere),
        access=PrometheusAccess(
            url=prometheus_url,
            bearer_token_file=prometheus_bearer_token_file,
            header_files=tuple(prometheus_header_file or ()),
            ca_file=prometheus_ca_file,
            matchers=prometheus_matchers,
        ),
        service=prometheus_service,
        forward=for_kubectl(kubeconfig, context),
    )
    findings = report.diagnose(gather(cluster, options))
    match output:
        case Output.JSON:
            typer.echo(rendering.as_json(report.to_json(findings)))
        case Output.YAML:
            typer.echo(rendering.as_yaml(report.to_json(findings)))
        case Output.TEXT:
            typer.echo(report.to_text(findings, color=rendering.wants_color()))
    if report.has_problems(findings):
        raise typer.Exit(ExitCode.ERROR)
