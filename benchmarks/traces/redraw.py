"""From a coarse or noisy series to counts per 10 s that have the burstiness of real traffic.

Order matters: gaps first, then smoothing, then scaling, and only then the draw. Scaling counts that were drawn would
multiply their noise.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def without_gaps(values: Floats, gap: NDArray[np.bool_]) -> Floats:
    """Values where `gap` is set are replaced by the line between their neighbors.

    Raises:
        ValueError: there are only gaps.
    """
    if gap.all():
        raise ValueError("there is no value between the gaps")
    places = np.arange(len(values))
    return np.asarray(np.interp(places, places[~gap], values[~gap]), dtype=np.float64)


def smoothed(values: Floats, bins: int) -> Floats:
    """Centered moving mean over an even number of bins; half a bin at either end, shorter at the ends of the series."""
    weights = np.ones(bins + 1)
    weights[[0, -1]] = 0.5
    total = np.convolve(values, weights, mode="same")
    share = np.convolve(np.ones(len(values)), weights, mode="same")
    return np.asarray(total / share, dtype=np.float64)


def finer(rates: Floats, width_seconds: float, finer_width_seconds: float) -> Floats:
    """Rates of wide windows at the centers of narrow bins, linear between window centers, flat at the ends."""
    ratio = round(width_seconds / finer_width_seconds)
    centers = (np.arange(len(rates)) + 0.5) * ratio
    places = np.arange(len(rates) * ratio) + 0.5
    return np.asarray(np.interp(places, centers, rates), dtype=np.float64)


def draw(means: Floats, idc: Floats | float, seed: int) -> Floats:
    """Counts with these means and variance idc × mean: negative binomial, as Poisson of gamma; idc must be above 1."""
    excess = np.asarray(idc) - 1.0
    if (excess <= 0).any():
        raise ValueError("idc must be above 1")
    generator = np.random.default_rng(seed)
    rates = generator.gamma(means / excess, excess)
    return generator.poisson(rates).astype(np.float64)
