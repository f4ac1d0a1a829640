#!/bin/sh
# Makes a virtual environment that holds the operator and its locked dependencies, and nothing to build with.
# Usage: build_venv.sh SOURCE DESTINATION
#   SOURCE       checkout with pyproject.toml, operator/ and the locks
#   DESTINATION  folder to make; it may be moved afterwards as long as the same Python is at the same place
# PYTHON names the interpreter (python3 by default).
set -eu
source="$(cd "$1" && pwd)"
destination="$2"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

"${PYTHON:-python3}" -m venv "$work/tools"
pip="$work/tools/bin/python -m pip --quiet --disable-pip-version-check --no-cache-dir"
$pip install --require-hashes --only-binary :all: -r "$source/scripts/image/requirements-build.lock"

# A copy: a build must not write into the checkout.
mkdir "$work/source"
for part in pyproject.toml README.md LICENSE NOTICE operator; do
  cp -R "$source/$part" "$work/source/"
done
$pip wheel --no-deps --no-build-isolation --wheel-dir "$work/wheel" "$work/source"

"${PYTHON:-python3}" -m venv --without-pip "$destination"
pip="$pip --python $destination/bin/python"
$pip install --no-deps --require-hashes --only-binary :all: -r "$source/requirements-operator.lock"
$pip install --no-deps --no-index "$work"/wheel/*.whl
"$destination/bin/python" -c 'import inference_cost.control.main'
