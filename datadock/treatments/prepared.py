"""What is asked of a treatment, and what one is before anything is written. The kinds of treatments make the latter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import duckdb
import polars as pl

from datadock.dock import Dock
from datadock.treatments.sets import ContactSet


@dataclass(frozen=True)
class Request:
    """What somebody asks for.

    Attributes:
        kind: ``rnvp``, ``moves``, ``enrichment`` or ``iris``.
        contacts: The set, as of ``sets.named_rows``.
        by: Who asks.
        why: Why.
        reference: rnvp: the postal reference to read with; the one in use by default.
        file: moves: the file of moved people.
        columns: moves: field to the column of the file that holds it, where they differ.
        into: moves: the declared source that matched moves land in.
        data_set: enrichment: a data set of catalog/enrichments.yml.
    """

    kind: str
    contacts: str
    by: str
    why: str
    reference: str = "current"
    file: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    into: str = ""
    data_set: str = ""


Landing = Callable[[str], None]
"""Brings what a treatment sends elsewhere there, once, given the treatment's id."""


@dataclass(frozen=True)
class Prepared:
    """A treatment that was worked out.

    Attributes:
        inputs: What decides the result beside the set: versions of references, digests of files.
        outcomes: golden_id, given, line, outcome, reason, detail: what became of each contact and each line.
        rows: Lake table to the treatment's rows in it.
        decides: Rows whose content makes it this treatment and no other.
        counts: What came of it, by name.
        land: What it sends elsewhere; None for nothing.
    """

    inputs: dict[str, str]
    outcomes: pl.DataFrame
    rows: dict[str, pl.DataFrame]
    decides: pl.DataFrame
    counts: dict[str, int]
    land: Landing | None = None


Kind = Callable[[Dock, duckdb.DuckDBPyConnection, ContactSet, Request], Prepared]
"""Works a treatment out, on a published copy in which ``dd_set`` holds the set; writes nothing."""
