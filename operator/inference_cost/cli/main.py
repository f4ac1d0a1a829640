"""`kubectl inference-cost`: asks the API server what the operator decided, and says it in plain words.

kubectl finds the executable `kubectl-inference_cost` on the PATH.
"""

import sys
from enum import StrEnum
from importlib.metadata import version as package_version
from typing import Annotated, Any

import typer

from inference_cost.api.group import API_VERSION
from inference_cost.cli import rendering
from inference_cost.cli.adopt.command import adopt
from inference_cost.cli.ago import seconds_ago
from inference_cost.cli.backtest.command import backtest
from inference_cost.cli.chargeback.command import chargeback
from inference_cost.cli.cluster import Cluster, connect
from inference_cost.cli.doctor.command import doctor
from inference_cost.cli.explanation import explanation_of
from inference_cost.cli.failure import CommandError, ExitCode, usage
from inference_cost.cli.fleet.command import plan, status
from inference_cost.cli.options import Context, Kubeconfig, Namespace
from inference_cost.cli.pause.command import pause, resume
from inference_cost.cli.pools.command import pools
from inference_cost.cli.reconcile.command import reconcile
from inference_cost.cli.report.command import report
from inference_cost.cli.savings.command import savings
from inference_cost.cli.scan.command import scan
from inference_cost.cli.split.command import split

PROGRAM = "kubectl inference-cost"

app = typer.Typer(
    name=PROGRAM,
    help="Says what the inference-cost-operator decided, and why. Reads only, but for pause and resume.\n\n"
    "Exit codes: 0 ok, 1 error, 2 usage, 3 not found, 4 SLO violated.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class Output(StrEnum):
    TEXT = "text"
    JSON = "json"


OutputOption = Annotated[Output, typer.Option("--output", "-o", help="Form of the output.")]


@app.command()
def explain(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the InferenceCostPolicy.")],
    *,
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
    output: OutputOption = Output.TEXT,
    since: Annotated[
        str, typer.Option(metavar="AGO", help="The history of decisions instead, such as 24h.")
    ] = "",
    log: Annotated[
        str,
        typer.Option(
            metavar="FILE",
            help="With --since: the operator's log, in place of that of its pods; `-` is stdin.",
        ),
    ] = "",
) -> None:
    """Tell the last decision: what was seen, chosen and limited, why not fewer, what it costs."""
    if log and not since:
        raise usage("--log goes with --since, for example --since 24h")
    seconds = seconds_ago(since, "--since") if since else 0.0
    cluster = connect(kubeconfig, context)
    policy = cluster.policy(name, namespace)
    told = explanation_of(policy)
    if since:
        typer.echo(_history(cluster, policy, seconds, log, output))
    elif output is Output.JSON:
        typer.echo(rendering.explanation_json(told))
    else:
        typer.echo(rendering.explanation_text(told, color=rendering.wants_color()))
    _exit(violated=told.slo_violated)


def _history(
    cluster: Cluster, policy: dict[str, Any], seconds: float, log: str, output: Output
) -> str:
    from inference_cost.cli.timeline.entries import to_json, to_text  # noqa: PLC0415 - slow to import
    from inference_cost.cli.timeline.reading import read  # noqa: PLC0415

    namespace, name = policy["metadata"]["namespace"], policy["metadata"]["name"]
    found = read(cluster, namespace, name, seconds, log)
    if output is Output.JSON:
        return rendering.as_json(to_json(found.entries, found.remarks))
    title = f"{namespace}/{name}: the last {seconds / 3600:.3g} h"
    return to_text(title, found.entries, found.remarks, color=rendering.wants_color())


app.command()(status)
app.command()(plan)
app.command()(pause)
app.command()(resume)
app.command()(doctor)
app.command()(adopt)
app.command()(backtest)
app.command()(chargeback)
app.command()(pools)
app.command()(scan)
app.command()(reconcile)
app.command()(report)
app.command()(savings)
app.command()(split)


@app.command()
def version() -> None:
    """Print the version of this command and of the API that it reads."""
    typer.echo(
        f"kubectl-inference_cost {package_version('inference-cost-operator')}, {API_VERSION}"
    )


def main() -> None:
    """Run the command; what goes wrong is one sentence on stderr."""
    try:
        app(prog_name=PROGRAM)
    except CommandError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(error.code)


def _exit(*, violated: bool) -> None:
    if violated:
        raise typer.Exit(ExitCode.SLO_VIOLATED)


if __name__ == "__main__":
    main()
