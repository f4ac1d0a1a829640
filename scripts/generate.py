"""Writes every generated file, or with --check fails when one is out of date."""

import subprocess
import sys

GENERATORS = (
    ("-m", "inference_cost.api.generate"),
    ("scripts/sync_chart_crds.py",),
    ("-m", "inference_cost.control.reference"),
    ("-m", "inference_cost.cli.backtest.schema"),
    ("-m", "scripts.dashboards"),
)


def main(arguments: list[str]) -> int:
    failed = [
        " ".join(generator)
        for generator in GENERATORS
        if subprocess.run([sys.executable, *generator, *arguments], check=False).returncode
    ]
    for generator in failed:
        print(f"out of date or failed: {generator}; run `make generate`", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
