"""Intervals of measured shares: Wilson's for single trials, a bootstrap over groups for pairs that hang together.

Figures in, figures out; what is measured is ``evaluation``'s and ``accuracy``'s.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

Z = 1.959963984540054
"""Quantile of the normal distribution for 95 %."""

_ROUNDS = 2_000


def wilson(hits: float, trials: float) -> tuple[float, float]:
    """Return the 95 % interval of a share of independent trials.

    Wilson's score interval (Wilson 1927; recommended for small counts and shares near 0 or 1 by Brown, Cai and
    DasGupta 2001, Statistical Science 16(2)). No trial gives 0 to 1.
    """
    if trials <= 0:
        return 0.0, 1.0
    share, square = hits / trials, Z * Z / trials
    middle = (share + square / 2) / (1 + square)
    half = Z / (1 + square) * math.sqrt(share * (1 - share) / trials + square / (4 * trials))
    # At a share of 0 or 1 the interval ends there; rounding must not say otherwise.
    return (0.0 if hits <= 0 else max(0.0, middle - half)), (1.0 if hits >= trials else min(1.0, middle + half))


def bootstrap(
    groups: Floats, measure: Callable[[Floats], Floats], seed: int, rounds: int = _ROUNDS
) -> list[tuple[float, float]]:
    """Return 95 % percentile intervals of measures of sums over groups.

    Pairs of one cluster stand or fall together, so they are not drawn one by one: groups that share no pair are
    drawn with replacement, each with all it holds (Field and Welsh 2007, JRSS B 69(3): resampling of clusters;
    Binette et al. 2023, The American Statistician 77(4): ratio estimates of entity resolution by sampled clusters).

    Args:
        groups: One row per group, one column per count that the measures are made of.
        measure: Sums (rounds x columns) to measures (rounds x measures).
        seed: Of the draws; the same seed gives the same intervals.
        rounds: Number of draws.
    """
    generator = np.random.default_rng(seed)
    # Groups with the same counts are drawn together: as many of them as a multinomial draw gives.
    kinds, number = np.unique(groups, axis=0, return_counts=True)
    draws = generator.multinomial(len(groups), number / number.sum(), size=rounds).astype(np.float64)
    ends = np.quantile(measure(draws @ kinds), [0.025, 0.975], axis=0)
    return [(float(low), float(high)) for low, high in ends.T]
