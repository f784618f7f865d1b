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
_PRIOR_PER_RECORD = 0.05
_HOME_PRIOR_SHARE = 0.1
_PRIOR_LEAST = 25.0
_LEAST_STRANGER_SHARE = 0.02
_ROUNDS = 200
_STILL = 1e-5
_EXPECTED_PER_RECORD = 0.3
_AT_ITS_WORD = 0.98
_SURE, _MOSTLY_DOUBTFUL = 0.9, 0.4
_NO_HOUSEHOLDS = 1e-12


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
    training = _Training(comparisons, patterns, records)
    rounds = training.run()
    if training.doubtful_share() > _MOSTLY_DOUBTFUL:
        # Mostly doubtful matches are the tail of chance agreements, not a class of their own.
        training = _Training(comparisons, patterns, records, sharpen=True)
        rounds += training.run()
    seen = [i.T @ (patterns.candidates + patterns.others) for i in training.indicators]
    m = [_never_for(m, u) for m, u in zip(training.m, training.u, strict=True)]
    return Trained(m, training.u, training.h, float(training.matches), float(training.households), seen, rounds)


def _never_for(m: Floats, u: Floats) -> Floats:
    """Shares under which a difference, however rare among strangers, never speaks for one person."""
    tamed = m.copy()
    tamed[0] = min(m[0], u[0])
    return tamed


class _Training:
    """The parameters as they stand, and one round of making them better."""

    def __init__(
        self, comparisons: Sequence[Comparison], patterns: Patterns, records: int, *, sharpen: bool = False
    ) -> None:
        self.comparisons, self.patterns, self.records = comparisons, patterns, records
        self.indicators = [_indicator(patterns.levels[:, c], len(x.levels) + 1) for c, x in enumerate(comparisons)]
        self.priors = [_prior(x) for x in comparisons]
        self.homes = [_home_prior(x, p) for x, p in zip(comparisons, self.priors, strict=True)]
        self.floors = [_floor(i, patterns) for i in self.indicators]
        everything = patterns.candidates + patterns.others
        self.m = [p.copy() for p in self.priors]
        self.u = [_share(i.T @ everything + f) for i, f in zip(self.indicators, self.floors, strict=True)]
        self.h = self._at_home(self.homes)
        # Where nothing personal is compared, a household cannot be told from a person: all are persons then.
        self.sharpen = sharpen
        self.personal = any(not x.household for x in comparisons)
        expected = max(1.0, _EXPECTED_PER_RECORD * records)
        self.matches = expected / patterns.total
        self.households = 0.1 * self.matches if self.personal else _NO_HOUSEHOLDS

    def run(self) -> int:
        """Go on until nothing moves; return the number of rounds."""
        rounds = 1
        while self.step() and rounds < _ROUNDS:
            rounds += 1
        return rounds

    def doubtful_share(self) -> float:
        """Share of the expected matches that stand on pairs of which none is sure."""
        p_match, _ = self._expect()
        expected = p_match * self.patterns.candidates
        return float(expected[p_match < _SURE].sum() / max(expected.sum(), 1e-9))

    def step(self) -> bool:
        """Make one round; tell whether anything still moved."""
        p_match, p_home = self._expect()
        one = (_sharpened(p_match) if self.sharpen else p_match) * self.patterns.candidates
        home = p_home * self.patterns.candidates
        matches, m = self.matches, self.m
        self.matches = max(one.sum(), 1.0) / self.patterns.total
        self.households = max(home.sum(), 1.0) / self.patterns.total if self.personal else _NO_HOUSEHOLDS
        weight = max(_PRIOR_LEAST, _PRIOR_SHARE * one.sum(), _PRIOR_PER_RECORD * self.records)
        home_weight = max(_PRIOR_LEAST, _HOME_PRIOR_SHARE * home.sum())
        self.m = [
            _believable(_share(i.T @ one + weight * p), x)
            for x, i, p in zip(self.comparisons, self.indicators, self.priors, strict=True)
        ]
        strangers = self.patterns.candidates - one - home
        self.u = [_strangers(i, strangers, self.patterns, f) for i, f in zip(self.indicators, self.floors, strict=True)]
        self.h = self._at_home(
            [_share(i.T @ home + home_weight * p) for i, p in zip(self.indicators, self.homes, strict=True)]
        )
        change = max(float(np.abs(a - b).max()) for a, b in zip(self.m, m, strict=True))
        return change >= _STILL or abs(self.matches / matches - 1) >= _STILL

    def _at_home(self, shared: list[Floats]) -> list[Floats]:
        """Shares within a household: counted for what a household shares, near chance for the rest."""
        return [
            share if c.household else (1 - SAME_BY_CHANCE) * u + SAME_BY_CHANCE * m
            for c, share, m, u in zip(self.comparisons, shared, self.m, self.u, strict=True)
        ]

    def _expect(self) -> tuple[Floats, Floats]:
        """Probability of each pattern to be one person, and to be two people of one household."""
        if len(self.comparisons) == 1:
            # Agreement on one thing alone cannot be split into persons and chance: it is taken at its word.
            best = self.indicators[0][:, -1] * _AT_ITS_WORD
            return best, np.zeros_like(best)
        log_m = np.full(self.indicators[0].shape[0], np.log(self.matches))
        log_h = np.full_like(log_m, np.log(self.households))
        log_u = np.full_like(log_m, np.log(max(1e-12, 1 - self.matches - self.households)))
        for indicator, m, u, h in zip(self.indicators, self.m, self.u, self.h, strict=True):
            log_m += indicator @ np.log(m)
            log_u += indicator @ np.log(u)
            log_h += indicator @ np.log(h)
        top = np.maximum(np.maximum(log_m, log_u), log_h)
        total = np.exp(log_m - top) + np.exp(log_u - top) + np.exp(log_h - top)
        return np.exp(log_m - top) / total, np.exp(log_h - top) / total


def _sharpened(probability: Floats) -> Floats:
    """Count the sure pairs and hardly the doubtful ones, of which a set with few duplicates is full."""
    yes, no = probability**2, (1 - probability) ** 2
    result: Floats = yes / (yes + no)
    return result


def _indicator(levels: npt.NDArray[np.int64], count: int) -> Floats:
    result: Floats = (levels[:, None] == np.arange(count)[None, :]).astype(np.float64)
    return result


def _prior(comparison: Comparison) -> Floats:
    return _share(np.array([comparison.differs_m, *(level.m for level in reversed(comparison.levels))]))


def _home_prior(comparison: Comparison, prior: Floats) -> Floats:
    """Shares to expect within a household: as one person's in part, else different."""
    differs = np.zeros_like(prior)
    differs[0] = 1.0
    return comparison.household * prior + (1 - comparison.household) * differs


def _share(counts: Floats) -> Floats:
    result: Floats = counts / counts.sum()
    return result


def _believable(shares: Floats, comparison: Comparison) -> Floats:
    """Shares with no more of "differs", or of any level, than one person's records can have."""
    most = np.array([comparison.differs_most, *(level.most for level in reversed(comparison.levels))])
    over = shares > most
    if not over.any():
        return shares
    result: Floats = np.where(over, most, shares)
    result[~over] *= (1 - result[over].sum()) / shares[~over].sum()
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
