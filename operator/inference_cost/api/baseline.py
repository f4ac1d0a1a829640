"""What savings are told against."""

from enum import StrEnum


class Baseline(StrEnum):
    OBSERVED = "Observed"
    HPA = "HPA"
    STATIC_PEAK = "StaticPeak"
