"""`kubectl inference-cost status` and `plan`: their options."""

import sys
from enum import StrEnum
from typing import Annotated

import typer

from inference_cost.cli import rendering
from inference_cost.cli.cluster import connect
from inference_cost.cli.failure import ExitCode, usage
from inference_cost.cli.fleet.plan import plan_of, to_diff
from inference_cost.cli.fleet.screen import Output, to_text
from inference_cost.cli.fleet.summary import Summary, summary_of
from inference_cost.cli.fleet.watch import watch as look_again
from inference_cost.cli.options import Context, Everywhere, Kubeconfig, Namespace, OnePolicy

SCREENS = (Output.TABLE, Output.WIDE)


def status(
    *,
    namespace: Namespace = None,
    everywhere: Everywhere = False,
    watch: Annotated[
        bool, typer.Option("--watch", "-w", help="Look again and again, until Ctrl-C.")
    ] = False,
    interval_seconds: Annotated[
        float, typer.Option(min=1, max=3600, help="Between two looks of --watch.")
    ] = 5.0,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
    output: Annotated[
        Output, typer.Option("--output", "-o", help="Form of the output.")
    ] = Output.TABLE,
) -> None:
    """The fleet on one screen: replicas, objective, cost, limits. Exit code 4 when an objective is violated."""
    if watch and output not in SCREENS:
        raise usage(f"--watch goes with -o table and wide, not with {output}")
    cluster = connect(kubeconfig, context)

    def rows() -> list[Summary]:
        return [summary_of(one) for one in cluster.policies(namespace, everywhere=everywhere)]

    color = rendering.wants_color()
    if watch:
        look_again(
            lambda: to_text(rows(), output, color=color, whole=True),
            interval_seconds,
            terminal=sys.stdout.isatty(),
        )
        return
    found = rows()
    typer.echo(to_text(found, output, color=color, whole=sys.stdout.isatty()))
    if any(row.slo_violated for row in found):
        raise typer.Exit(ExitCode.SLO_VIOLATED)


class PlanOutput(StrEnum):
    DIFF = "diff"
    JSON = "json"
    YAML = "yaml"


def plan(
    name: OnePolicy = None,
    *,
    namespace: Namespace = None,
    everywhere: Everywhere = False,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
    output: Annotated[
        PlanOutput, typer.Option("--output", "-o", help="Form of the output.")
    ] = PlanOutput.DIFF,
) -> None:
    """What Enforce would change now, as a diff, with reason, price and what stands in the way. Changes nothing."""
    if name is not None and everywhere:
        raise usage("give NAME with -n NAMESPACE, or -A without a name")
    cluster = connect(kubeconfig, context)
    listed = (
        cluster.policies(namespace, everywhere=everywhere)
        if name is None
        else [cluster.policy(name, namespace)]
    )
    plans = [plan_of(one) for one in listed]
    match output:
        case PlanOutput.JSON:
            typer.echo(rendering.as_json([one.to_json() for one in plans]))
        case PlanOutput.YAML:
            typer.echo(rendering.as_yaml([one.to_json() for one in plans]))
        case PlanOutput.DIFF:
            typer.echo(to_diff(plans, color=rendering.wants_color()))
