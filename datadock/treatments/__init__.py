"""Treatments: explicit acts of data quality on a set of contacts, each with who, when, why, and what it was before.

``act`` does one and takes one back; ``rnvp``, ``moves`` and ``enrichment`` work the kinds out; ``book`` is the ledger
in the lake. What every run does by itself to all contacts is not here.
"""

from datadock.treatments.act import Treated, listed, result_of, treat, withdraw, withdraw_data_set
from datadock.treatments.book import KINDS, Treatment, find, rows_of, treatments
from datadock.treatments.prepared import Request

__all__ = [
    "KINDS",
    "Request",
    "Treated",
    "Treatment",
    "find",
    "listed",
    "result_of",
    "rows_of",
    "treat",
    "treatments",
    "withdraw",
    "withdraw_data_set",
]
