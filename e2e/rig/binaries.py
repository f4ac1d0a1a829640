"""Builds the programs of the rig from pinned Go modules, once, into the cache.

Versions and checksums are in `go/<recipe>/go.mod` and `go.sum`; a change of either, or of the
build arguments, gives a new folder in the cache. Nothing is downloaded ready-made.
"""

import hashlib
import os
import re
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

from e2e.rig.build_progress import BuildProgress
from e2e.rig.cache import cache_folder, exclusive
from e2e.rig.go_toolchain import find_go
from e2e.rig.processes import Command, ManagedProcess, start

MODULES = Path(__file__).with_name("go")

BinaryName = Literal[
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kubectl",
    "kwok",
    "prometheus",
    "promtool",
    "helm",
    "kubeconform",
    "kind",
    "keda-operator",
    "keda-adapter",
    "karpenter",
]
BINARY_NAMES: tuple[BinaryName, ...] = get_args(BinaryName)
CLUSTER_BINARIES: tuple[BinaryName, ...] = BINARY_NAMES[:7]
KEDA_BINARIES: tuple[BinaryName, ...] = ("keda-operator", "keda-adapter")


class BuildError(RuntimeError):
    """A program could not be built; the message carries the end of the compiler's output."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """One `go build` that makes one or more programs at the version of `module`."""

    name: str
    module: str
    packages: Mapping[BinaryName, str]
    tags: str = ""
    # Package variables for the linker; {version} stands for the module's version with its v.
    variables: Mapping[str, str] = field(default_factory=dict)
    # On 2 cores with an empty build cache.
    typical_seconds: int
    # Built only when one of its programs is asked for by name.
    optional: bool = False

    @property
    def folder(self) -> Path:
        return MODULES / self.name

    @property
    def version(self) -> str:
        """Version of `module` in go.mod, such as v1.36.3."""
        found = re.search(
            rf"^\s*(?:require )?{re.escape(self.module)} (v\S+)",
            (self.folder / "go.mod").read_text(),
            re.MULTILINE,
        )
        if found is None:
            raise BuildError(f"{self.folder / 'go.mod'} does not require {self.module}")
        return found[1]

    @property
    def digest(self) -> str:
        """Changes with anything that changes the result."""
        recipe = repr((sorted(self.packages.items()), self.tags, sorted(self.variables.items())))
        files = [(self.folder / name).read_bytes() for name in ("go.mod", "go.sum")]
        return hashlib.sha256(b"\0".join([recipe.encode(), *files])).hexdigest()[:8]

    def destination(self, binary: BinaryName) -> Path:
        return cache_folder() / "bin" / f"{binary}-{self.version}-{self.digest}" / binary


_KUBERNETES_VERSION = "k8s.io/component-base/version"

RECIPES = (
    Recipe(
        name="etcd",
        module="go.etcd.io/etcd/server/v3",
        packages={"etcd": "go.etcd.io/etcd/server/v3"},
        typical_seconds=25,
    ),
    Recipe(
        name="kubernetes",
        module="k8s.io/kubernetes",
        packages={
            "kube-apiserver": "k8s.io/kubernetes/cmd/kube-apiserver",
            "kube-controller-manager": "k8s.io/kubernetes/cmd/kube-controller-manager",
            "kube-scheduler": "k8s.io/kubernetes/cmd/kube-scheduler",
            "kubectl": "k8s.io/kubernetes/cmd/kubectl",
        },
        # Without these, clients see v0.0.0.
        variables={
            f"{_KUBERNETES_VERSION}.gitVersion": "{version}",
            f"{_KUBERNETES_VERSION}.gitMajor": "1",
            f"{_KUBERNETES_VERSION}.gitMinor": "36",
        },
        typical_seconds=255,
    ),
    Recipe(
        name="kwok",
        module="sigs.k8s.io/kwok",
        packages={"kwok": "sigs.k8s.io/kwok/cmd/kwok"},
        typical_seconds=60,
    ),
    Recipe(
        name="prometheus",
        module="github.com/prometheus/prometheus",
        packages={
            "prometheus": "github.com/prometheus/prometheus/cmd/prometheus",
            "promtool": "github.com/prometheus/prometheus/cmd/promtool",
        },
        # Every other service discovery pulls the SDK of its cloud.
        tags="remove_all_sd,enable_kubernetes_sd",
        variables={"github.com/prometheus/common/version.Version": "3.11.3"},
        typical_seconds=50,
    ),
    Recipe(
        name="helm",
        module="helm.sh/helm/v3",
        packages={"helm": "helm.sh/helm/v3/cmd/helm"},
        # The Kubernetes version that `helm template` and `helm lint` assume.
        variables={
            "helm.sh/helm/v3/internal/version.version": "{version}",
            "helm.sh/helm/v3/pkg/chartutil.k8sVersionMajor": "1",
            "helm.sh/helm/v3/pkg/chartutil.k8sVersionMinor": "36",
            "helm.sh/helm/v3/pkg/lint/rules.k8sVersionMajor": "1",
            "helm.sh/helm/v3/pkg/lint/rules.k8sVersionMinor": "36",
        },
        typical_seconds=50,
    ),
    Recipe(
        name="kubeconform",
        module="github.com/yannh/kubeconform",
        packages={"kubeconform": "github.com/yannh/kubeconform/cmd/kubeconform"},
        variables={"main.version": "{version}"},
        typical_seconds=3,
    ),
    Recipe(
        name="kind",
        module="sigs.k8s.io/kind",
        packages={"kind": "sigs.k8s.io/kind"},
        typical_seconds=10,
    ),
    Recipe(
        name="keda",
        module="github.com/kedacore/keda/v2",
        packages={
            "keda-operator": "github.com/kedacore/keda/v2/cmd/operator",
            "keda-adapter": "github.com/kedacore/keda/v2/cmd/adapter",
        },
        variables={"github.com/kedacore/keda/v2/version.Version": "{version}"},
        typical_seconds=300,
        # A peer that a recording is made of (e2e/baselines), no part of a cluster.
        optional=True,
    ),
    Recipe(
        name="karpenter",
        module="sigs.k8s.io/karpenter",
        # Karpenter with the provider whose machines kwok simulates; `go build` names it "kwok".
        packages={"karpenter": "sigs.k8s.io/karpenter/kwok"},
        typical_seconds=100,
        # Only the scenarios of e2e/karpenter let it buy their nodes.
        optional=True,
    ),
)


class Binaries(Mapping[BinaryName, Path]):
    """Paths of built programs by name."""

    def __init__(self, paths: Mapping[BinaryName, Path]) -> None:
        self._paths = dict(paths)

    def __getitem__(self, name: BinaryName) -> Path:
        return self._paths[name]

    def __iter__(self) -> Iterator[BinaryName]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)

    @property
    def search_path(self) -> str:
        """The folders of all of them, as an entry for PATH."""
        return os.pathsep.join(str(path.parent) for path in self._paths.values())


def ensure(*names: BinaryName) -> Binaries:
    """Build what is missing among `names` and return the paths.

    Without names: all that are not optional.

    Cheap when everything is in the cache. Several processes may call it at once: one builds, the
    others wait. Progress goes to standard error.

    Raises:
        GoUnavailableError: no Go compiler here and none could be installed.
        BuildError: a build failed, for example because the module proxy cannot be reached.
    """
    wanted = names or _usual_names()
    recipes = [recipe for recipe in RECIPES if set(recipe.packages) & set(wanted)]
    for recipe in recipes:
        if not _complete(recipe):
            _build_exclusively(recipe)
    paths = {name: recipe.destination(name) for recipe in recipes for name in recipe.packages}
    return Binaries({name: paths[name] for name in wanted})


def _usual_names() -> tuple[BinaryName, ...]:
    return tuple(name for recipe in RECIPES if not recipe.optional for name in recipe.packages)


def _complete(recipe: Recipe) -> bool:
    return all(recipe.destination(name).exists() for name in recipe.packages)


def _build_exclusively(recipe: Recipe) -> None:
    title = f"{', '.join(recipe.packages)} {recipe.version}"
    lock = cache_folder() / "bin" / f".{recipe.name}.lock"
    with exclusive(lock, waiting=lambda: _report(f"{title}: waiting for another build of it")):
        if not _complete(recipe):
            _build(recipe, title)


def _build(recipe: Recipe, title: str) -> None:
    go = find_go(_report)
    scratch = cache_folder() / "bin" / f".building-{recipe.name}"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    log = cache_folder() / "logs" / f"build-{recipe.name}.log"
    log.unlink(missing_ok=True)
    compiler = start(_go_build(go, recipe, scratch, log))
    try:
        BuildProgress(title=title, typical_seconds=recipe.typical_seconds).follow(compiler)
    finally:
        code = compiler.stop()
    if code != 0:
        raise BuildError(_explain(title, compiler))
    for name, package in recipe.packages.items():
        _move(scratch / _program_name(package), recipe.destination(name))
    shutil.rmtree(scratch)


def _go_build(go: Path, recipe: Recipe, scratch: Path, log: Path) -> Command:
    variables = (f"-X {k}={v}" for k, v in recipe.variables.items())
    linker = " ".join(["-s -w", *variables]).format(version=recipe.version)
    flags = ["-v", "-trimpath", f"-tags={recipe.tags}", f"-ldflags={linker}", f"-o={scratch}/"]
    environment = {
        **os.environ,
        "CGO_ENABLED": "0",
        "GOFLAGS": "-mod=readonly -buildvcs=false",
        "GOWORK": "off",
        "PATH": f"{go.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
    }
    arguments = [str(go), "build", *flags, *recipe.packages.values()]
    return Command(
        name=f"go build of {recipe.name}",
        arguments=arguments,
        log=log,
        environment=environment,
        directory=recipe.folder,
    )


def _program_name(package: str) -> str:
    """Name `go build` gives the program of a package: its folder, or what precedes a /vN."""
    parts = package.split("/")
    return parts[-2] if re.fullmatch(r"v\d+", parts[-1]) else parts[-1]


def _move(built: Path, destination: Path) -> None:
    destination.parent.mkdir(parents=True, exist_ok=True)
    built.rename(destination)


def _explain(title: str, compiler: ManagedProcess) -> str:
    return (
        f"building {title} failed; end of {compiler.log}:\n{compiler.log_tail()}\n"
        "Modules come from the Go module proxy (environment variable GOPROXY): can it be reached?"
    )


def _report(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    ensure()
