"""`kubectl inference-cost split`: a workload as variants on several pools, for Git."""

from enum import StrEnum
from typing import Annotated

import typer

from inference_cost.cli.cluster import connect
from inference_cost.cli.failure import CommandError, ExitCode
from inference_cost.cli.options import Context, Kubeconfig, Namespace


class Output(StrEnum):
    YAML = "yaml"
    JSON = "json"


def split(
    target: Annotated[
        str | None, typer.Argument(metavar="[deploy/NAME]", help="The workload to split.")
    ] = None,
    *,
    pools: Annotated[
        str,
        typer.Option(
            metavar="A,B",
            help="CapacityPools: the workload stays on the first, the others get one.",
        ),
    ],
    files: Annotated[
        list[str] | None,
        typer.Option(
            "--filename",
            "-f",
            metavar="FILE",
            help="Read workload, CapacityPools, policy and budgets from here; no cluster is asked.",
        ),
    ] = None,
    threshold_milliseconds: Annotated[
        int | None, typer.Option(min=1, help="Latency objective, where there is no policy yet.")
    ] = None,
    objective: Annotated[
        str, typer.Option("--target", metavar="PERCENT", help="Share of the requests within it.")
    ] = "99.0",
    max_replicas: Annotated[
        int | None, typer.Option(min=1, help="Of all variants together, where there is no policy.")
    ] = None,
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
    output: Annotated[
        Output, typer.Option("--output", "-o", help="Form of the objects; YAML has remarks.")
    ] = Output.YAML,
) -> None:
    """Print a workload, others like it on further pools, a PodDisruptionBudget and the policy, as YAML.

    Nothing is changed: review it, commit it, apply it.
    """
    from inference_cost.cli.split import documents, sources  # noqa: PLC0415 - slow to import

    wanted = documents.Wanted(
        threshold_milliseconds=threshold_milliseconds, target=objective, max_replicas=max_replicas
    )
    names = [name.strip() for name in pools.split(",") if name.strip()]
    if files:
        source, found = sources.from_files(files, target, names, wanted)
    elif target is None:
        raise CommandError(
            "name the workload, as in deploy/resnet, or give it with -f", ExitCode.USAGE
        )
    else:
        cluster = connect(kubeconfig, context)
        source, found = sources.from_cluster(cluster, target, names, namespace, wanted)
    text = documents.split(source, found)
    typer.echo(documents.as_list(text) if output is Output.JSON else text, nl=False)
