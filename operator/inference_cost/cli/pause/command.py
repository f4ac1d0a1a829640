"""`kubectl inference-cost pause` and `resume`: the annotations that GitOps leaves alone."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from inference_cost.api.fields import REPLICAS_LIMIT
from inference_cost.cli import rendering
from inference_cost.cli.cluster import connect
from inference_cost.cli.failure import usage
from inference_cost.cli.options import Context, Kubeconfig, Namespace

if TYPE_CHECKING:
    from inference_cost.cli.pause.annotate import Held


class Output(StrEnum):
    TEXT = "text"
    JSON = "json"
    YAML = "yaml"


Name = Annotated[
    str | None, typer.Argument(metavar="[NAME]", help="The policy; not with --whole-namespace.")
]
Whole = Annotated[
    bool, typer.Option("--whole-namespace", help="All policies of the namespace, also later ones.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Ask the API server, store nothing.")]
Form = Annotated[Output, typer.Option("--output", "-o", help="Form of the output.")]


def pause(
    name: Name = None,
    *,
    replicas: Annotated[
        int | None,
        typer.Option(min=0, max=REPLICAS_LIMIT, help="Hold so many. Default: as they are."),
    ] = None,
    whole_namespace: Whole = False,
    dry_run: DryRun = False,
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
    output: Form = Output.TEXT,
) -> None:
    """Stop scaling: replicas stay as they are, or at a number. An annotation, which GitOps does not revert."""
    from inference_cost.cli.pause.annotate import paused, pausing  # noqa: PLC0415 - slow to import

    _check(name, whole_namespace=whole_namespace)
    cluster = connect(kubeconfig, context)
    _show(pausing(cluster, name, namespace, paused(replicas), dry_run=dry_run), output)


def resume(
    name: Name = None,
    *,
    whole_namespace: Whole = False,
    dry_run: DryRun = False,
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
    output: Form = Output.TEXT,
) -> None:
    """Scale again: takes away what `pause` wrote."""
    from inference_cost.cli.pause.annotate import RESUMED, pausing  # noqa: PLC0415 - slow to import

    _check(name, whole_namespace=whole_namespace)
    cluster = connect(kubeconfig, context)
    _show(pausing(cluster, name, namespace, RESUMED, dry_run=dry_run), output)


def _show(held: "Held", output: Output) -> None:
    match output:
        case Output.JSON:
            typer.echo(rendering.as_json(held.to_json()))
        case Output.YAML:
            typer.echo(rendering.as_yaml(held.to_json()))
        case Output.TEXT:
            typer.echo(held.text)


def _check(name: str | None, *, whole_namespace: bool) -> None:
    if (name is None) != whole_namespace:
        raise usage("give NAME of a policy, or --whole-namespace")
