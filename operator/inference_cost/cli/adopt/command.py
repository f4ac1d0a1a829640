"""`kubectl inference-cost adopt`: its options. What it needs is imported when it runs."""

from enum import StrEnum
from typing import Annotated

import typer

from inference_cost.cli import rendering
from inference_cost.cli.failure import CommandError
from inference_cost.cli.options import Context, Kubeconfig, Namespace


class Output(StrEnum):
    SCRIPT = "script"
    JSON = "json"
    YAML = "yaml"


def adopt(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the InferenceCostPolicy.")],
    *,
    force: Annotated[
        bool, typer.Option("--force", help="Print it, although it is too early.")
    ] = False,
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
    output: Annotated[Output, typer.Option("--output", "-o", help="Form of the output.")] = (
        Output.SCRIPT
    ),
) -> None:
    """Print the hand-over from an HPA or KEDA to a policy as a shell script, undo included. Changes nothing."""
    from inference_cost.cli.adopt.handover import hindrances, script, to_json  # noqa: PLC0415
    from inference_cost.cli.adopt.reading import read  # noqa: PLC0415 - slow to import
    from inference_cost.cli.cluster import connect  # noqa: PLC0415

    found = read(connect(kubeconfig, context), name, namespace)
    hindered = hindrances(found)
    if hindered and not force and output is Output.SCRIPT:
        raise CommandError(
            f"it is too early to hand over to {found.namespace}/{name}: {'; '.join(hindered)} (--force prints it all "
            "the same)"
        )
    match output:
        case Output.JSON:
            typer.echo(rendering.as_json(to_json(found, hindered)))
        case Output.YAML:
            typer.echo(rendering.as_yaml(to_json(found, hindered)))
        case Output.SCRIPT:
            typer.echo(script(found), nl=False)
