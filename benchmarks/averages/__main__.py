"""The numbers of `decide/headroom/rules.py`, and how well they suit a service that they were not fitted to.

    python -m benchmarks.averages --data FOLDER

A policy of which nothing is known yet follows the rule that suits an average service. Every rule is tried on single
days of some services, by the operator's own record. The averages are smoothed by formulas of two or three numbers each.
Then each service is judged by a fit to the others: what is chosen with nothing learned beside the rule that was best
on that very day. Services whose file is at hand neither here nor in the folder are left out, and said. A minute.
"""

import argparse
import sys
from collections.abc import Sequence
from math import exp, log
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.averages.services import services
from benchmarks.averages.smoothed import COST, LATE, Formula, mean_cost, mean_late, smoothed
from benchmarks.averages.tried import Tried, tried
from benchmarks.sensitivity import ELASTICITY, LEAST_LATE_PERCENT
from benchmarks.traces.columns import Floats
from inference_cost.decide.headroom.choice import ALLOWED_AVERAGE, cheapest
from inference_cost.decide.headroom.rules import PRIOR_COST, PRIOR_LATE, RULES, Rule

ALLOWED: Final = 0.01  # share of requests that may be late


def at_equal_lateness(cost: Floats, late: Floats) -> Floats:
    """As `benchmarks/sensitivity.py` weighs lateness."""
    scores: Floats = cost * np.maximum(100 * late, LEAST_LATE_PERCENT) ** ELASTICITY
    return scores


def chosen(late: Floats, cost: Floats) -> int:
    """With nothing learned."""
    rule, _ = cheapest(cost, late, ALLOWED_AVERAGE * ALLOWED, ALLOWED)
    return rule


def above_best(days: Sequence[Tried], late: Floats, cost: Floats) -> tuple[Rule, float, float]:
    """What a first opinion chooses, the mean share late on these days, and the cost above the best rule of each day."""
    rule = chosen(late, cost)
    dearer = [log(s[rule] / s.min()) for s in (at_equal_lateness(d.cost, d.late) for d in days)]
    return RULES[rule], float(np.mean([day.late[rule] for day in days])), float(np.mean(dearer))


def _printed(formulas: Sequence[Formula], means: Floats, kept: Floats) -> None:
    for formula in formulas:
        weights = formula.fitted(means)
        numbers = " ".join(f"{one:.3f}" for one in (exp(weights[0]), *weights[1:]))
        off = np.abs(np.log(kept[formula.rules] / formula.of(weights))).mean()
        print(f"{formula.name}: {numbers}; those in use are {100 * off:.0f} % off")


def _told(rule: Rule) -> str:
    room = f"{rule.deviations:g} deviations" if rule.base else f"load {rule.load:g}"
    return f"{room}, hold {rule.hold}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="of traces not shipped here")
    days: list[Tried] = []
    for service in services(parser.parse_args().data):
        if isinstance(service, str):
            print(f"skipped: {service}", file=sys.stderr)
        else:
            days += tried(service)
    names = list(dict.fromkeys(day.service for day in days))
    print(f"{len(days)} days of {len(names)} services")
    _printed(LATE, mean_late(days), PRIOR_LATE)
    _printed(COST, mean_cost(days), PRIOR_COST)
    print("\n| service | chosen by the others | late | above its best | as in use: late | above |")
    print("|---|---|---|---|---|---|")
    totals = []
    for name in names:
        mine = [day for day in days if day.service == name]
        others = [day for day in days if day.service != name]
        late, cost = smoothed(LATE, mean_late(others)), smoothed(COST, mean_cost(others))
        rule, so_late, dearer = above_best(mine, late, cost)
        _, as_late, as_dear = above_best(mine, PRIOR_LATE, PRIOR_COST)
        totals.append((so_late, dearer, as_late, as_dear))
        cells = f"{100 * so_late:.2f} % | {100 * dearer:+.0f} % | {100 * as_late:.2f} % | {100 * as_dear:+.0f} %"
        print(f"| {name} | {_told(rule)} | {cells} |")
    so_late, dearer, as_late, as_dear = (100 * one for one in np.mean(totals, axis=0))
    print(f"| mean | | {so_late:.2f} % | {dearer:+.0f} % | {as_late:.2f} % | {as_dear:+.0f} % |")


if __name__ == "__main__":
    main()
