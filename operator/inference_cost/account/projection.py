"""What the month will have cost, and how sure that is.

The rest of the month costs what the mean of the last whole days says; they spread as they did, independently of each
other. Of too few days there is no band: then the rest costs what the last look says.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import sqrt

from inference_cost.account.calendar import DAY_SECONDS, month_end, month_of
from inference_cost.model.reading import Missing, MissingReason

FEWEST_DAYS = 3
MOST_DAYS = 28  # whole weeks, so that weekends weigh what they weigh
# Of Student's t: 80 % of all cases lie within, by degrees of freedom; from 27 on as for 27.
_T_80 = (
    1.886, 1.638, 1.533, 1.476, 1.440, 1.415, 1.397, 1.383, 1.372, 1.363, 1.356, 1.350, 1.345,
    1.341, 1.337, 1.333, 1.330, 1.328, 1.325, 1.323, 1.321, 1.319, 1.318, 1.316, 1.315, 1.314,
)  # fmt: skip
TOO_FEW = Missing(
    reason=MissingReason.NOT_LEARNED, detail=f"fewer than {FEWEST_DAYS} whole days are known"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Projection:
    """Of a whole month. In four of five months the amount is from `low` to `high`."""

    month: str
    expected: Decimal
    low: Decimal | Missing
    high: Decimal | Missing
    days: int  # that it rests on


def project(
    so_far: Decimal, *, at: float, per_hour: Decimal | Missing, whole_days: Sequence[Decimal]
) -> Projection | Missing:
    """The month of `at` (UTC, epoch seconds).

    Args:
        so_far: amount of the month up to `at`.
        at: now.
        per_hour: the rate now.
        whole_days: amounts of the last days that were seen from midnight to midnight, the newest last.
    """
    days = list(whole_days)[-MOST_DAYS:]
    left = Decimal(round(month_end(at) - at)) / DAY_SECONDS
    if len(days) < FEWEST_DAYS:
        if isinstance(per_hour, Missing):
            return per_hour
        expected = so_far + 24 * per_hour * left
        return Projection(
            month=month_of(at), expected=expected, low=TOO_FEW, high=TOO_FEW, days=len(days)
        )
    mean = sum(days, Decimal(0)) / len(days)
    half = _half_width(days, mean, left)
    expected = so_far + mean * left
    return Projection(
        month=month_of(at),
        expected=expected,
        low=max(so_far, expected - half),
        high=expected + half,
        days=len(days),
    )


def _half_width(days: Sequence[Decimal], mean: Decimal, left: Decimal) -> Decimal:
    """Of a sum of `left` days: their own spread, and that of the mean as far as it is known."""
    count = len(days)
    variance = float(sum(((day - mean) ** 2 for day in days), Decimal(0))) / (count - 1)
    spread = sqrt(variance * (float(left) + float(left) ** 2 / count))
    return Decimal(str(_T_80[min(count - 3, len(_T_80) - 1)] * spread))
