"""Writes the dashboards into the chart, or with --check fails when one is out of date."""

import json
import sys
from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from scripts.dashboards.chargeback import chargeback
from scripts.dashboards.fleet import fleet
from scripts.dashboards.operator_health import operator_health
from scripts.dashboards.policy import policy

REPOSITORY = Path(__file__).parents[2]
FOLDER = REPOSITORY / "charts/inference-cost-operator/dashboards"
DASHBOARDS = {
    "fleet": fleet,
    "policy": policy,
    "operator": operator_health,
    "chargeback": chargeback,
}


def wanted() -> dict[Path, str]:
    return {
        FOLDER / f"{name}.json": json.dumps(
            build().build(), cls=JSONEncoder, indent=1, sort_keys=True
        )
        + "\n"
        for name, build in DASHBOARDS.items()
    }


def main(arguments: list[str]) -> int:
    files = wanted()
    wrong = [path for path, text in files.items() if not path.exists() or path.read_text() != text]
    wrong += sorted(set(FOLDER.glob("*.json")) - set(files))
    if "--check" in arguments:
        for path in wrong:
            print(f"out of date: {path.relative_to(REPOSITORY)}", file=sys.stderr)
        return 1 if wrong else 0
    FOLDER.mkdir(exist_ok=True)
    for path in wrong:
        if path in files:
            path.write_text(files[path])
        else:
            path.unlink()
        print(f"wrote {path.relative_to(REPOSITORY)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
