"""`kubectl inference-cost`: asks the API server what the operator decided, and says it in plain words.

kubectl finds the executable `kubectl-inference_cost` on the PATH.
"""

import sys
from importlib.metadata import version as package_version

import typer

from inference_cost.api.group import API_VERSION
from inference_cost.cli.adopt.command import adopt
from inference_cost.cli.backtest.command import backtest
from inference_cost.cli.chargeback.command import chargeback
from inference_cost.cli.doctor.command import doctor
from inference_cost.cli.explain import explain
from inference_cost.cli.failure import CommandError
from inference_cost.cli.fleet.command import plan, status
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


app.command()(explain)
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


if __name__ == "__main__":
    main()
