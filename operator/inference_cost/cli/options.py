"""Options that several commands have, in the same words."""

from typing import Annotated

import typer

OnePolicy = Annotated[
    str | None, typer.Argument(metavar="[NAME]", help="One policy. Default: all.")
]
Namespace = Annotated[
    str | None, typer.Option("--namespace", "-n", help="Namespace; default: that of the context.")
]
Everywhere = Annotated[
    bool, typer.Option("--all-namespaces", "-A", help="Policies of all namespaces.")
]
Context = Annotated[str | None, typer.Option(help="Context of the kubeconfig.")]
Kubeconfig = Annotated[
    str | None, typer.Option(help="Kubeconfig file; default: KUBECONFIG, else ~/.kube/config.")
]
TokenFile = Annotated[
    str, typer.Option(metavar="FILE", help="File with a bearer token for Prometheus.")
]
HeaderFiles = Annotated[
    list[str] | None,
    typer.Option(
        "--prometheus-header-file", metavar="NAME=FILE", help="A header whose value is in a file."
    ),
]
CaFile = Annotated[
    str, typer.Option(metavar="FILE", help="PEM file of Prometheus' certificate authority.")
]
Matchers = Annotated[
    str,
    typer.Option(metavar="MATCHERS", help='Label matchers for each query, as `cluster="prod-1"`.'),
]
