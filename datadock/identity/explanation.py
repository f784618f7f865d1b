"""Why two records are one party or not: one piece of evidence per comparison, in bits and in words.

Types only: the batch (``explain``) and the index of one record fill them from the same model, so that
a steward reads the same reasons wherever a pair is shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["same", "suspect", "different"]


@dataclass(frozen=True)
class Evidence:
    """What one comparison says of a pair.

    Attributes:
        comparison: Its name in the model.
        level: Name of the level that holds: ``unknown``, ``differs``, or one of the model's.
        bits: Weight of the level, term frequency included; negative speaks against one party.
        words: The same for a reader: "same phone, rarely shared: +7.2".
    """

    comparison: str
    level: str
    bits: float
    words: str

    @property
    def reason(self) -> str:
        """The words without the weight, where that stands beside them."""
        return self.words.replace(f": {self.bits:+.1f}", "")


@dataclass(frozen=True)
class Explanation:
    """Why a pair weighs what it weighs.

    Attributes:
        left: Source and key of one record.
        right: Of the other.
        prior: Bits that any pair starts with.
        evidence: One piece per comparison, weightiest first, by absolute bits.
        household: Bits taken off for what two people of one household share as well (0 or less).
        weight: Sum of all: bits for one party.
        probability: The same as a probability.
        verdict: What the weight alone says.
        model: Version of the model.
    """

    left: tuple[str, str]
    right: tuple[str, str]
    prior: float
    evidence: tuple[Evidence, ...]
    household: float
    weight: float
    probability: float
    verdict: Verdict
    model: str
