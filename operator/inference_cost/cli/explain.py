"""`kubectl inference-cost explain`: the last decision on a policy, or on each of several, or the history of one."""

from enum import StrEnum
from typing import Annotated, Any

import typer

from inference_cost.cli import rendering
from inference_cost.cli.ago import seconds_ago
from inference_cost.cli.cluster import Cluster, connect
from inference_cost.cli.explanation import Explanation, explanation_of
from inference_cost.cli.failure import ExitCode, usage
from inference_cost.cli.fleet.screen import NONE
from inference_cost.cli.options import Context, Everywhere, Kubeconfig, Namespace, OnePolicy


class Output(StrEnum):
    TEXT = "text"
    JSON = "json"
    YAML = "yaml"


def explain(
    name: OnePolicy = None,
    *,
    namespace: Namespace = None,
    everywhere: Everywhere = False,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
    output: Annotated[
        Output, typer.Option("--output", "-o", help="Form of the output.")
    ] = Output.TEXT,
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
    if name is not None and everywhere:
        raise usage("give NAME with -n NAMESPACE, or -A without a name")
    if name is None and since:
        raise usage("--since goes with the NAME of one policy")
    seconds = seconds_ago(since, "--since") if since else 0.0
    cluster = connect(kubeconfig, context)
    if name is None:
        listed = cluster.policies(namespace, everywhere=everywhere)
        told = [explanation_of(one) for one in listed]
        typer.echo(_several(told, output))
    else:
        policy = cluster.policy(name, namespace)
        one = explanation_of(policy)
        told = [one]
        shown = _history(cluster, policy, seconds, log, output) if since else _one(one, output)
        typer.echo(shown)
    if any(each.slo_violated for each in told):
        raise typer.Exit(ExitCode.SLO_VIOLATED)


def _one(told: Explanation, output: Output) -> str:
    if output is Output.TEXT:
        return rendering.explanation_text(told, color=rendering.wants_color())
    return _data(rendering.explanation_data(told), output)


def _several(told: list[Explanation], output: Output) -> str:
    if output is Output.TEXT:
        return "\n\n".join(_one(one, output) for one in told) or NONE
    return _data([rendering.explanation_data(one) for one in told], output)


def _data(value: Any, output: Output) -> str:
    return rendering.as_yaml(value) if output is Output.YAML else rendering.as_json(value)


def _history(
    cluster: Cluster, policy: dict[str, Any], seconds: float, log: str, output: Output
) -> str:
    from inference_cost.cli.timeline.entries import to_json, to_text  # noqa: PLC0415 - slow to import
    from inference_cost.cli.timeline.reading import read  # noqa: PLC0415

    namespace, name = policy["metadata"]["namespace"], policy["metadata"]["name"]
    found = read(cluster, namespace, name, seconds, log)
    if output is not Output.TEXT:
        return _data(to_json(found.entries, found.remarks), output)
    title = f"{namespace}/{name}: the last {seconds / 3600:.3g} h"
    return to_text(title, found.entries, found.remarks, color=rendering.wants_color())
