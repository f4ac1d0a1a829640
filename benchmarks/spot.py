"""The spot rules in good and in bad zones: the table of docs/spot.md.

    python -m benchmarks.spot --data FOLDER

FOLDER holds the availability of one V100 in nine AWS zones, which may not be passed on (docs/spot.md says whose it is).
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np

from benchmarks.replay.cells import percent
from benchmarks.replay.plan import usual_case
from benchmarks.replay.scenarios import largest_load_of, scenario_of
from benchmarks.traces.catalog import TRACES
from benchmarks.traces.columns import find, read_columns
from inference_cost.simulate.backtest import compare
from inference_cost.simulate.outcome import Comparison
from inference_cost.simulate.scenario import Scenario, SpotMarket

FILE = "skypilot_avail_aws_v100_2023_02.csv.gz"
ZONES = {
    "good zones": ("us-west-2a", "us-west-2b", "us-west-2c", "us-east-2a", "us-east-2b"),
    "bad zones": ("us-east-1f", "us-east-1c", "us-east-1d"),
}
SPOT_PRICE = Decimal("0.45")  # of 1.00 on demand
RULES = (
    "on-demand-only",
    "one-zone",
    "half-half",
    "spothedge",
    "priced",
    "survive-largest-zone",
)


def market(folder: Path, zones: Sequence[str]) -> SpotMarket:
    """Raises FileNotFoundError without the file."""
    path = find(FILE, folder)
    if path is None:
        raise FileNotFoundError(f"{FILE} is not in {folder}")
    columns = read_columns(path)
    return SpotMarket(
        zones=tuple(zones),
        times_seconds=columns["t_s"],
        available=np.stack([columns[f"{zone}_v100_1"] > 0 for zone in zones], axis=1),
        price_per_hour=(SPOT_PRICE,) * len(zones),
    )


def scenario() -> Scenario:
    """14 days of m-large, on demand."""
    trace = next(trace for trace in TRACES if trace.name == "mlarge")
    case = usual_case(trace)
    return scenario_of(case, trace.load(None), largest_load_of(case))


def show(name: str, found: Comparison) -> None:
    print(name)
    for one in found.outcomes[1:]:
        ratio = found.ratio_to_bound(one)
        shown = "–" if ratio is None else f"{ratio:.2f}"
        print(f"  {one.name:15} {one.knob:36} {shown} ({percent(100 * one.attained_fraction)} %)")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, metavar="FOLDER")
    folder: Path = parser.parse_args().data
    plain = scenario()
    for name, zones in ZONES.items():
        case = replace(plain, spot=market(folder, zones))
        show(name, compare(case, against=RULES, bound=True))


if __name__ == "__main__":
    main()
