"""Why a pair weighs what it weighs, from the compiled model: the pieces of an ``Explanation``."""

from __future__ import annotations

import math

from datadock.identity.comparisons import Comparison
from datadock.identity.compiled.scorer import UNKNOWN, Row, Scorer
from datadock.identity.explain import text_of, verdict_of
from datadock.identity.explanation import Evidence, Explanation
from datadock.identity.wording import Facts, evidence


def explain_pair(
    scorer: Scorer, left: tuple[str, str], right: tuple[str, str], one: Row, other: Row, threshold: float
) -> Explanation:
    """Explain a pair.

    Args:
        scorer: The compiled model.
        left: Source and key of one record.
        right: Of the other.
        one: Scored features of the first.
        other: Of the second.
        threshold: Bits from which records join.
    """
    model = scorer.model
    whole = scorer.weight(one, other)
    levels = scorer.levels(one, other)
    pieces = [
        _evidence(scorer, comparison, level, one, other)
        for comparison, level in zip(model.comparisons, levels, strict=True)
    ]
    pieces.sort(key=lambda piece: -abs(piece.bits))
    return Explanation(
        left,
        right,
        math.log2(model.prior / (1 - model.prior)),
        tuple(pieces),
        whole.household,
        whole.weight,
        1 / (1 + 2.0**-whole.weight) if whole.weight > -1000 else 0.0,
        verdict_of(whole.weight, threshold),
        scorer.version,
    )


def _evidence(scorer: Scorer, comparison: Comparison, level: int, one: Row, other: Row) -> Evidence:
    """Word a level as the batch does; how many contacts hold a value is not known here."""
    number = 0 if level == UNKNOWN else len(comparison.levels) + 1 - level
    rows = [dict(zip(scorer.columns, row, strict=True)) for row in (one, other)]
    known = (bool(text_of(comparison.name, rows[0])), bool(text_of(comparison.name, rows[1])))
    term = comparison.levels[level].tf if number > 1 else None
    frequency = None
    if term:
        told = scorer.frequencies[term]
        frequency = max(told(rows[0][term]), told(rows[1][term]))
    return evidence(comparison, number, scorer.bits(comparison, level, one, other), Facts(known, frequency))
