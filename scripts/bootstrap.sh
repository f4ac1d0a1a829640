#!/usr/bin/env bash
# Makes .venv from requirements.lock. Needs only python3 >= 3.11 with pip or venv; uv is fetched into the cache.
set -euo pipefail
cd "$(dirname "$0")/.."
cache="${INFERENCE_COST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/inference-cost-operator}"
uv_env="$cache/uv"
python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
  || { echo "python3 >= 3.11 is needed; found $(python3 --version)" >&2; exit 1; }
if [ ! -x "$uv_env/bin/uv" ]; then
  echo "installing uv into $uv_env"
  python3 -m venv "$uv_env"
  "$uv_env/bin/python" -m pip install --quiet 'uv>=0.9,<1'
fi
[ -x .venv/bin/python ] || "$uv_env/bin/uv" venv --quiet --python "$(command -v python3)" .venv
"$uv_env/bin/uv" pip sync --quiet --python .venv/bin/python --require-hashes requirements.lock
"$uv_env/bin/uv" pip install --quiet --python .venv/bin/python --no-deps --editable .
