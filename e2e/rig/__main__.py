"""Command line of the rig: ``python -m e2e.rig --help``."""

import argparse
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import cast

from e2e.rig import supervisor
from e2e.rig.binaries import BINARY_NAMES, CLUSTER_BINARIES, BinaryName, BuildError, ensure
from e2e.rig.certificates import OpenSslError
from e2e.rig.cluster import CLUSTERS_FOLDER, Cluster
from e2e.rig.control_plane import ControlPlaneSettings
from e2e.rig.go_toolchain import GoUnavailableError
from e2e.rig.processes import ProcessError
from e2e.rig.programs import DEFAULT_TIMINGS, SHORT_TIMINGS
from e2e.rig.supervisor import SupervisorError
from e2e.rig.triton import TritonUnavailableError, ensure_triton

EXPECTED_ERRORS = (
    BuildError,
    GoUnavailableError,
    OpenSslError,
    ProcessError,
    SupervisorError,
    TimeoutError,
    TritonUnavailableError,
)
INTERRUPTED = 130


def main() -> int:
    # A shell's background job inherits SIGINT ignored; who sends it all the same means it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    options = _parser().parse_args()
    try:
        options.run(options)
    except EXPECTED_ERRORS as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ninterrupted; nothing was left behind", file=sys.stderr)
        return INTERRUPTED
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m e2e.rig", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    build = commands.add_parser("build", help="build the programs of the rig into the cache")
    build.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BINARY_NAMES)}")
    build.set_defaults(run=_build)

    up = commands.add_parser("cluster-up", help="start a cluster in the background")
    _add_cluster_options(up)
    up.set_defaults(run=_up)

    down = commands.add_parser("cluster-down", help="stop a cluster started by cluster-up")
    _add_place(down)
    down.set_defaults(run=_down)

    owner = commands.add_parser("cluster-serve", help="run a cluster until SIGTERM or Ctrl-C")
    _add_cluster_options(owner)
    owner.set_defaults(run=_serve)
    return parser


def _add_place(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--name", default="dev", help="several clusters may run (default: dev)")
    folder = supervisor.REPOSITORY / CLUSTERS_FOLDER
    parser.add_argument("--folder", type=Path, default=folder, help="where their state is kept")


def _add_cluster_options(parser: argparse.ArgumentParser) -> None:
    _add_place(parser)
    parser.add_argument("--kwok-nodes", type=int, default=2, help="simulated one-GPU nodes to add")
    parser.add_argument(
        "--process-nodes", type=int, default=1, help="one-GPU nodes whose pods are local processes"
    )
    parser.add_argument("--scrape-interval", type=float, default=2.0, metavar="SECONDS")
    parser.add_argument(
        "--no-prometheus", dest="prometheus", action="store_false", help="start without Prometheus"
    )
    parser.add_argument(
        "--default-timings",
        action="store_true",
        help="notice lost nodes as slowly as Kubernetes does by default (minutes, not seconds)",
    )


def _build(options: argparse.Namespace) -> None:
    unknown = set(options.names) - set(BINARY_NAMES)
    if unknown:
        raise BuildError(f"unknown: {', '.join(sorted(unknown))}; of {', '.join(BINARY_NAMES)}")
    for name, path in ensure(*cast("list[BinaryName]", options.names)).items():
        print(f"{name:24} {path}")


def _serve(options: argparse.Namespace) -> None:
    settings = ControlPlaneSettings(
        state_folder=_state_folder(options),
        name=options.name,
        timings=DEFAULT_TIMINGS if options.default_timings else SHORT_TIMINGS,
        with_prometheus=options.prometheus,
        scrape_interval_seconds=options.scrape_interval,
    )
    nodes = supervisor.Nodes(kwok=options.kwok_nodes, process=options.process_nodes)
    supervisor.serve(settings, nodes)


def _up(options: argparse.Namespace) -> None:
    ensure(*CLUSTER_BINARIES)
    if options.process_nodes:
        ensure_triton()
    began = time.monotonic()
    cluster = supervisor.start(_serve_arguments(options), _state_folder(options))
    _explain(cluster, seconds=time.monotonic() - began)


def _down(options: argparse.Namespace) -> None:
    stopped = supervisor.stop(_state_folder(options))
    print(f"cluster {options.name} {'is stopped' if stopped else 'was not running'}")


def _serve_arguments(options: argparse.Namespace) -> list[str]:
    arguments = ["cluster-serve", "--name", options.name, "--folder", str(options.folder)]
    arguments += ["--kwok-nodes", str(options.kwok_nodes)]
    arguments += ["--process-nodes", str(options.process_nodes)]
    arguments += ["--scrape-interval", str(options.scrape_interval)]
    arguments += [] if options.prometheus else ["--no-prometheus"]
    return arguments + (["--default-timings"] if options.default_timings else [])


def _state_folder(options: argparse.Namespace) -> Path:
    folder: Path = options.folder
    return folder.absolute() / str(options.name)


def _explain(cluster: Cluster, *, seconds: float) -> None:
    print(f"cluster {cluster.name} is up after {seconds:.1f} s: API server {cluster.api_url}")
    if cluster.prometheus_url:
        print(f"Prometheus (no web pages, the API works): {cluster.prometheus_url}")
    print("\nLook around:")
    print(f"  export KUBECONFIG={cluster.kubeconfig}")
    if shutil.which("kubectl") is None:
        print(f"  export PATH={ensure('kubectl').search_path}:$PATH")
    print("  kubectl get nodes")
    suffix = "" if cluster.name == "dev" else f" --name {cluster.name}"
    print(f"\nStop it: python -m e2e.rig cluster-down{suffix}   (make cluster-down)")


if __name__ == "__main__":
    sys.exit(main())
