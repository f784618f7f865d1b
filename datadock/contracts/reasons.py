"""Why a record was refused: the words that quarantine keeps and a steward reads."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Reason:
    """Why a record was refused.

    Attributes:
        code: Short name of the fault, the same for all records with it.
        field: The field or column at fault; empty where it is the whole record.
        found: What was met.
        expected: What should have been there.
    """

    code: str
    field: str = ""
    found: str = ""
    expected: str = ""
