"""Why a pair weighs what it weighs, from the compiled model: the pieces of an ``Explanation``."""

from __future__ import annotations

import math

from datadock.identity.comparisons import Comparison
from datadock.identity.compiled.scorer import UNKNOWN, Row, Scorer
from datadock.identity.explain import verdict_of
from datadock.identity.explanation import Evidence, Explanation

_TELLING = 1.0
"""Bits from which a term's frequency is worth a word."""


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
    evidence = [
        _evidence(scorer, comparison, level, one, other)
        for comparison, level in zip(model.comparisons, levels, strict=True)
    ]
    evidence.sort(key=lambda piece: -abs(piece.bits))
    return Explanation(
        left,
        right,
        math.log2(model.prior / (1 - model.prior)),
        tuple(evidence),
        whole.household,
        whole.weight,
        1 / (1 + 2.0**-whole.weight) if whole.weight > -1000 else 0.0,
        verdict_of(whole.weight, threshold),
        scorer.version,
    )


def _evidence(scorer: Scorer, comparison: Comparison, level: int, one: Row, other: Row) -> Evidence:
    field = comparison.name.removeprefix("id_").replace("_", " ")
    bits = scorer.bits(comparison, level, one, other)
    if level == UNKNOWN:
        return Evidence(comparison.name, "unknown", 0.0, f"{field} says nothing: {bits:+.1f}")
    if level == len(comparison.levels):
        return Evidence(comparison.name, "differs", bits, f"{field} differs: {bits:+.1f}")
    name = comparison.levels[level].name
    plain = scorer.plain_bits[comparison.name][level]
    rarity = ", rare" if bits - plain > _TELLING else ", common" if plain - bits > _TELLING else ""
    return Evidence(comparison.name, name, bits, f"{name}{rarity}: {bits:+.1f}")
