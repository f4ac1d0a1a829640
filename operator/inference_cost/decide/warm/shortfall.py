"""How many nodes all policies of a pool are short of at once: a simulation of their steps, the same for the same state.

Each policy's step is drawn from what it showed; that they grow together is one common factor in all of them. Drawn
independently, a hundred services would never be short at once; added up, always.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import sqrt
from statistics import NormalDist
from typing import Final
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from inference_cost.decide.warm.steps import ENDS, Floats, grown

DRAWS: Final = 1_000
SEED: Final = 20_261_127
HALF: Final = 0.5  # rounded to whole replicas
NEGLIGIBLE: Final = 0.02  # of a replica: not worth one more
_STANDARD: Final = NormalDist()
_EVEN: Final = np.array([_STANDARD.inv_cdf((i + 0.5) / DRAWS) for i in range(DRAWS)])
_FARTHEST: Final = 3.5  # deviations; of the draws none is as far


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """What one zone of a pool takes away of a policy: `replicas`, each time that one of the `zones` is lost."""

    domain: str
    zones: int
    chance: float
    replicas: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Surge:
    """One policy. `filled`: replicas that its demand fills now; `size`: that it has for it; `most`: that it may have.

    `steps`: as learned (steps.py). `nodes_each`: the part of a node that a replica takes.
    `growth`: the part of the replicas that it is short of that would be asked for here; `lost`: in place of others.
    """

    filled: float
    size: int
    most: int
    steps: tuple[float, ...]
    nodes_each: float
    growth: float = 1.0
    lost: tuple[Lost, ...] = ()


def shortfalls(surges: Sequence[Surge], correlation: float) -> Floats:
    """(DRAWS, policies) nodes that each is short of, one start from now."""
    common, own = sqrt(correlation), sqrt(1.0 - correlation)
    found = np.zeros((DRAWS, len(surges)))
    for i, surge in enumerate(surges):
        found[:, i] = _short(surge, common * _normal(0) + own * _normal(i + 1))
    return found


def alone(surge: Surge) -> Floats:
    """(DRAWS,) of one policy by itself."""
    return _short(surge, _EVEN)


def _short(surge: Surge, normal: Floats) -> Floats:
    steps = np.interp(normal, _borders(surge.steps), ENDS)
    needed = np.ceil(grown(surge.filled, steps) - NEGLIGIBLE)
    needed = np.where(steps > 0, np.minimum(needed, surge.most), 0.0)
    short: Floats = np.floor(np.maximum(needed - surge.size, 0.0) * surge.growth + HALF)
    for one in surge.lost:
        short += one.replicas * _zones_lost(one.domain, one.zones, one.chance)
    return short * surge.nodes_each


@lru_cache(maxsize=256)
def _zones_lost(domain: str, zones: int, chance: float) -> Floats:
    """(DRAWS,) how many; the same for all policies, since a zone that is lost is lost to all of them."""
    found = np.zeros(DRAWS)
    for zone in range(zones):
        found += _lot(domain, zone) < round(chance * DRAWS)
    return found


@lru_cache(maxsize=256)
def _lot(domain: str, zone: int) -> NDArray[np.int64]:
    """(DRAWS,) numbers from 0 on, shuffled."""
    return np.random.default_rng((SEED, crc32(domain.encode()), zone)).permutation(DRAWS)


@lru_cache(maxsize=4096)
def _borders(steps: tuple[float, ...]) -> Floats:
    """Upper ends of the classes in standard deviations; within a class steps are spread evenly."""
    total = sum(steps)
    if total <= 0:
        return np.full(len(ENDS), _FARTHEST)
    below = np.cumsum(steps) / total
    return np.array([_quantile(share) for share in below])


def _quantile(share: float) -> float:
    if share <= 0.0 or share >= 1.0:
        return _FARTHEST if share > 0 else -_FARTHEST
    return min(max(_STANDARD.inv_cdf(share), -_FARTHEST), _FARTHEST)


@lru_cache(maxsize=8192)
def _normal(column: int) -> Floats:
    """(DRAWS,) the quantiles of a normal distribution, shuffled: each column has exactly that distribution."""
    return np.random.default_rng((SEED, column)).permutation(_EVEN)
