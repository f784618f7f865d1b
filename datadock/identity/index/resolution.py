"""What the index answers: who a record is, how sure that is, and what it was weighed against."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from datadock.identity.explanation import Explanation

Certainty = Literal["same", "suspect", "new"]
"""In one golden contact with another record; like one, too weak to join; like none."""


@dataclass(frozen=True)
class Candidate:
    """A stored record that a record was weighed against.

    Attributes:
        source: Its source.
        source_key: Its key there.
        golden_id: Golden id that it bears now.
        weight: Bits for one party.
        reason: Gives the explanation; most callers ask for none.
    """

    source: str
    source_key: str
    golden_id: str | None
    weight: float
    reason: Callable[[], Explanation] = field(repr=False, compare=False)

    @property
    def explanation(self) -> Explanation:
        """Why the pair weighs what it weighs."""
        return self.reason()


@dataclass(frozen=True)
class Resolution:
    """Who a record is.

    Attributes:
        golden_id: Its golden id, as the next batch will give it; None for a record that is new and not committed.
        certainty: ``same``, ``suspect`` or ``new``.
        candidates: Stored records that may be the same party, the likeliest first.
        compared: Number of records that it was weighed against.
        committed: Whether the record is stored.
    """

    golden_id: str | None
    certainty: Certainty
    candidates: tuple[Candidate, ...]
    compared: int
    committed: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON; every candidate with its explanation."""
        told = {name: getattr(self, name) for name in ("golden_id", "certainty", "compared", "committed")}
        candidates = [
            {
                "source": one.source,
                "source_key": one.source_key,
                "golden_id": one.golden_id,
                "weight": one.weight,
                "explanation": asdict(one.explanation),
            }
            for one in self.candidates
        ]
        return {**told, "candidates": candidates}
