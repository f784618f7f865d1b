"""Training without labels: agreement patterns in, the parameters of the model out.

Every pair is one of three things: one person twice, two people of one household, or strangers.
A two-class model takes a household's shared address, phone and family name for three independent
proofs; the third class is what keeps spouses apart. It shares with one person all that a household
shares, and with strangers all that is personal. All of it is counting: patterns of agreement
levels, expectation and maximisation over them, priors where there is little to count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from datadock.identity.comparisons import Comparison

Floats = npt.NDArray[np.float64]

SAME_BY_CHANCE = 0.02
"""Share of household pairs that agree on a personal thing as one person would: twins, fathers and sons."""

_PRIOR_SHARE = 0.03
_HOME_PRIOR_SHARE = 0.1
_PRIOR_LEAST = 25.0
_LEAST_STRANGER_SHARE = 0.02
_ROUNDS = 200


@dataclass(frozen=True)
class Patterns:
    """Counted agreement patterns.

    Attributes:
        levels: One row per pattern, one column per comparison; -1 unknown, 0 differs, up to the strongest.
        candidates: Number of candidate pairs with the pattern (scaled up where sampled).
        others: Estimated number of pairs outside the candidates with the pattern.
        other_unit: How many pairs one sampled pair of the others stands for.
        total: Number of all possible pairs.
    """

    levels: npt.NDArray[np.int64]
    candidates: Floats
    others: Floats
    other_unit: float
    total: float


@dataclass(frozen=True)
class Trained:
    """What training found. Probabilities per comparison from "differs" (0) up to the strongest level.

    Attributes:
        m: Among pairs of one person.
        u: Among strangers.
        h: Among two people of one household; for what is personal, chance with a little of one person's.
        match_share: Share of all pairs that are one person.
        household_share: Share of all pairs that are two people of one household.
        seen: Candidate pairs and sampled others at each level.
        rounds: Rounds until nothing moved.
    """

    m: list[Floats]
    u: list[Floats]
    h: list[Floats]
    match_share: float
    household_share: float
    seen: list[Floats]
    rounds: int


def train(comparisons: Sequence[Comparison], patterns: Patterns, records: int) -> Trained:
    """Estimate the model's parameters by expectation and maximisation over patterns."""
    indicators = [_indicator(patterns.levels[:, c], len(x.levels) + 1) for c, x in enumerate(comparisons)]
    priors = [_prior(x) for x in comparisons]
    homes = [_home_prior(x, p) for x, p in zip(comparisons, priors, strict=True)]
    m = [p.copy() for p in priors]
    everything = patterns.candidates + patterns.others
    floors = [_floor(i, patterns) for i in indicators]
    u = [_share(i.T @ everything + f) for i, f in zip(indicators, floors, strict=True)]
    h = _at_home(comparisons, homes, m, u)
    expected = max(1.0, 0.3 * records)
    matches, households = expected / patterns.total, 0.1 * expected / patterns.total
    rounds, moved = 0, True
    while moved and rounds < _ROUNDS:
        rounds += 1
        p_match, p_home = _expect(indicators, m, u, h, matches, households)
        one, home = p_match * patterns.candidates, p_home * patterns.candidates
        strangers = patterns.candidates - one - home
        previous = matches
        matches = max(one.sum(), 1.0) / patterns.total
        households = max(home.sum(), 1.0) / patterns.total
        weight = max(_PRIOR_LEAST, _PRIOR_SHARE * one.sum())
        home_weight = max(_PRIOR_LEAST, _HOME_PRIOR_SHARE * home.sum())
        old = m
        m = [_share(i.T @ one + weight * p) for i, p in zip(indicators, priors, strict=True)]
        u = [_strangers(i, strangers, patterns, f) for i, f in zip(indicators, floors, strict=True)]
        counted = [_share(i.T @ home + home_weight * p) for i, p in zip(indicators, homes, strict=True)]
        h = _at_home(comparisons, counted, m, u)
        change = max(float(np.abs(a - b).max()) for a, b in zip(m, old, strict=True))
        moved = change >= 1e-5 or abs(matches / previous - 1) >= 1e-5
    seen = [i.T @ (patterns.candidates + patterns.others) for i in indicators]
    return Trained(m, u, h, float(matches), float(households), seen, rounds)


def _indicator(levels: npt.NDArray[np.int64], count: int) -> Floats:
    result: Floats = (levels[:, None] == np.arange(count)[None, :]).astype(np.float64)
    return result


def _prior(comparison: Comparison) -> Floats:
    return _share(np.array([comparison.differs_m, *(level.m for level in reversed(comparison.levels))]))


def _share(counts: Floats) -> Floats:
    result: Floats = counts / counts.sum()
    return result


def _floor(indicator: Floats, patterns: Patterns) -> Floats:
    """Pairs of strangers to assume at each level beyond those counted.

    A level seen often among candidates and never among the sampled others is one that blocking
    finds by itself, so its count is complete; any other level may hide below the sample's grain.
    """
    inside, outside = indicator.T @ patterns.candidates, indicator.T @ patterns.others
    complete = (outside == 0) & (inside >= 50)
    result: Floats = np.where(complete, 1.0, 0.5 * patterns.other_unit)
    return result


def _strangers(indicator: Floats, strangers: Floats, patterns: Patterns, floor: Floats) -> Floats:
    counted = np.maximum(indicator.T @ strangers, _LEAST_STRANGER_SHARE * (indicator.T @ patterns.candidates))
    return _share(counted + indicator.T @ patterns.others + floor)


def _home_prior(comparison: Comparison, prior: Floats) -> Floats:
    """Shares to expect within a household: as one person's in part, else different."""
    differs = np.zeros_like(prior)
    differs[0] = 1.0
    return comparison.household * prior + (1 - comparison.household) * differs


def _at_home(
    comparisons: Sequence[Comparison], shared: list[Floats], m_all: list[Floats], u_all: list[Floats]
) -> list[Floats]:
    """Shares among two people of one household: counted for what a household shares, near chance for the rest."""
    return [
        share if c.household else (1 - SAME_BY_CHANCE) * u + SAME_BY_CHANCE * m
        for c, share, m, u in zip(comparisons, shared, m_all, u_all, strict=True)
    ]


def _expect(
    indicators: list[Floats],
    m_all: list[Floats],
    u_all: list[Floats],
    h_all: list[Floats],
    matches: float,
    households: float,
) -> tuple[Floats, Floats]:
    log_m = np.full(indicators[0].shape[0], np.log(matches))
    log_h = np.full_like(log_m, np.log(households))
    log_u = np.full_like(log_m, np.log(max(1e-12, 1 - matches - households)))
    for indicator, m, u, h in zip(indicators, m_all, u_all, h_all, strict=True):
        log_m += indicator @ np.log(m)
        log_u += indicator @ np.log(u)
        log_h += indicator @ np.log(h)
    top = np.maximum(np.maximum(log_m, log_u), log_h)
    total = np.exp(log_m - top) + np.exp(log_u - top) + np.exp(log_h - top)
    return np.exp(log_m - top) / total, np.exp(log_h - top) / total
