"""Guards against getting worse: figures of the short run against those in `benchmarks/recorded.json`."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.replay.rows import Row

RECORDED = Path(__file__).parent.parent / "recorded.json"
WORSE_RATIO = 1.02  # cost ÷ bound may grow by 2 %
# A fifth of the error budget of one point. The run is deterministic, so this is no allowance for noise but for changes
# that shift a few late requests without making the policy worse.
LOST_POINTS = 0.2
MOVED = 1.02  # the yardsticks themselves, either way: then a ratio means something else


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Of one case. The bound and HPA do not depend on our policy: they show when the world changed."""

    ratio_to_bound: float
    attainment_percent: float
    bound_dollars: float
    hpa_dollars: float


def figures(rows: Sequence[Row]) -> dict[str, Figures]:
    """By the case in words.

    Raises:
        ValueError: a case lacks ours, HPA, or a bound above nothing.
    """
    cases = dict.fromkeys(row.case for row in rows)
    return {str(case): _figures([row for row in rows if row.case == case]) for case in cases}


def _figures(rows: Sequence[Row]) -> Figures:
    ours = next((row for row in rows if row.ours), None)
    hpa = next((row for row in rows if row.policy == "hpa" and not row.tuned), None)
    if ours is None or hpa is None or ours.ratio_to_bound is None:
        raise ValueError(f"{rows[0].case}: needs ours, hpa and a bound above nothing")
    return Figures(
        ratio_to_bound=ours.ratio_to_bound,
        attainment_percent=ours.attainment_percent,
        bound_dollars=ours.bound_dollars,
        hpa_dollars=hpa.cost_dollars,
    )


def regressions(recorded: Mapping[str, Figures], measured: Mapping[str, Figures]) -> list[str]:
    """What got worse, in words; empty when nothing did."""
    found = [f"{case}: recorded but not run" for case in recorded if case not in measured]
    for case, now in measured.items():
        if case in recorded:
            found += [f"{case}: {text}" for text in _worse(recorded[case], now)]
        else:
            found.append(f"{case}: run but not recorded; --record writes it down")
    return found


def _worse(before: Figures, now: Figures) -> list[str]:
    found = []
    if now.ratio_to_bound > before.ratio_to_bound * WORSE_RATIO:
        found.append(f"cost ÷ bound rose from {before.ratio_to_bound} to {now.ratio_to_bound}")
    if now.attainment_percent < before.attainment_percent - LOST_POINTS:
        found.append(
            f"attainment fell from {before.attainment_percent} to {now.attainment_percent} %"
        )
    for name in ("bound_dollars", "hpa_dollars"):
        then, new = getattr(before, name), getattr(now, name)
        if max(then, new) > min(then, new) * MOVED:
            found.append(
                f"{name} moved from {then} to {new}: the simulated world or the rule changed,"
                " --record if meant"
            )
    return found


def read(path: Path) -> dict[str, Figures]:
    """Raises FileNotFoundError before the first `--record`."""
    return {case: Figures(**found) for case, found in json.loads(path.read_text()).items()}


def write(found: Mapping[str, Figures], path: Path) -> None:
    text = json.dumps({case: asdict(figure) for case, figure in found.items()}, indent=2)
    path.write_text(text + "\n")
