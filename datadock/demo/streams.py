"""Seeded streams of chance, one per purpose, so that a change in one feed leaves the others alone.

Also the two ways numbers are spread without repeats. Nothing here knows what is drawn.
"""

from __future__ import annotations

import zlib

import numpy as np
from numpy.typing import NDArray

Rng = np.random.Generator
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]


def stream(seed: int, delivery: int, purpose: str) -> Rng:
    """Return the generator of one purpose; the same arguments always give the same numbers."""
    entropy = np.random.SeedSequence([seed & 0xFFFF_FFFF_FFFF_FFFF, delivery, zlib.crc32(purpose.encode())])
    return np.random.Generator(np.random.PCG64(entropy))


def chance(rng: Rng, rate: float | NDArray[np.float64], size: int) -> Mask:
    """Return a mask that is true at about ``rate``, one for all or one for each."""
    return rng.random(size) < rate


def some(rng: Rng, rate: float, size: int) -> Ints:
    """Return sorted positions, each taken with probability ``rate``."""
    return np.flatnonzero(chance(rng, rate, size))


def spread(index: Ints, modulus: int, factor: int, shift: int) -> Ints:
    """Map distinct indices below ``modulus`` to distinct numbers below it that look unordered.

    Args:
        index: Whole numbers below ``modulus``.
        modulus: Size of the range; below 2**31, so that products fit.
        factor: Must share no divisor with ``modulus``.
        shift: Where index 0 lands.
    """
    return (index * factor + shift) % modulus
