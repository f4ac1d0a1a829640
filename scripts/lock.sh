#!/usr/bin/env bash
# Resolves pyproject.toml into requirements.lock (development) and requirements-operator.lock (image),
# with hashes and without an index address, so that any mirror serves them.
set -euo pipefail
cd "$(dirname "$0")/.."
cache="${INFERENCE_COST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/inference-cost-operator}"
uv="$cache/uv/bin/uv"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
# uv refuses to read groups of a project marked unmanaged; that mark only serves `uv run`.
sed 's/^managed = false$//' pyproject.toml > "$work/pyproject.toml"
root="$PWD"
cd "$work"
compile() { "$uv" pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
  --no-emit-index-url --no-emit-find-links --no-annotate --no-header --quiet "$@"; }
compile --group dev --group rig --extra dask --output-file "$root/requirements.lock"
compile --output-file "$root/requirements-operator.lock"
