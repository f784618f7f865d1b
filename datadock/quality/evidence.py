"""What every normaliser of contact data says of its result: a status, and the evidence of each correction.

The status is one word for the steward; the evidence tells which rule changed which field, from what
to what, and by which version of which reference. Frames carry both under the types below.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import polars as pl


class Status(StrEnum):
    """What may be done with a value."""

    OK = "OK"
    CORRIGEE = "CORRIGEE"
    A_CONFIRMER = "A_CONFIRMER"
    REJETEE = "REJETEE"
    ETRANGERE = "ETRANGERE"
    VIDE = "VIDE"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One correction: the rule that made it, the field, its text before and after, the reference behind it.

    Args:
        rule: Name of the rule, in capitals (``COMMUNE_EXACTE``).
        field: Name of the field that the rule wrote.
        before: Text as it was met.
        after: Text as it is proposed.
        reference: Source and version of the table that decided, empty where the rule needs none.
    """

    rule: str
    field: str
    before: str
    after: str
    reference: str = ""


STATUS_DTYPE = pl.Enum([status.value for status in Status])
CODES_DTYPE = pl.List(pl.String)
EVIDENCE_DTYPE = pl.List(
    pl.Struct({"rule": pl.String, "field": pl.String, "before": pl.String, "after": pl.String, "reference": pl.String})
)


def as_rows(evidence: Sequence[Evidence]) -> list[dict[str, str]]:
    """Give the evidence of one value as plain rows, the form that a frame holds."""
    return [
        {"rule": e.rule, "field": e.field, "before": e.before, "after": e.after, "reference": e.reference}
        for e in evidence
    ]
