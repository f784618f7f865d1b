"""What the pages on linking and on suspects read of identity: opened once, explained in one go.

At a million records each look at features or pairs is a scan of all of them, so both pages share theirs.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

import polars as pl

from datadock.identity.decisions import Book
from datadock.identity.explain import Explained, Pair, explain_known
from datadock.identity.memberships import current_memberships, read_log
from datadock.identity.partition import PartyClusters
from datadock.identity.queue import Question, open_questions
from datadock.identity.workspace import FEATURES, PARTIES, Workspace
from datadock.reports.reading import Reading

SHOWN = 100
"""Suspects of the review queue that a page shows, at most."""

_ORDERS = "select golden_id, count(*) as orders from marts.fct_order where golden_id is not null group by golden_id"


@dataclass
class Linking:
    """One look at identity.

    Attributes:
        reading: One look at the deployment.
        workspace: Of a question asked between runs.
        parties: Party types, opened; none before the first run.
    """

    reading: Reading
    workspace: Workspace
    parties: list[PartyClusters]

    @property
    def threshold(self) -> dict[str, float]:
        """Party type to the bits from which records join."""
        declared: dict[str, float] = self.reading.catalog.identity.threshold.model_dump()
        return declared

    @cached_property
    def members(self) -> pl.DataFrame:
        """Current memberships: source, source_key, golden_id of every record that has one."""
        return current_memberships(read_log(self.workspace)).drop_nulls("golden_id")

    @cached_property
    def questions(self) -> list[Question]:
        """The review queue, most valuable first."""
        if "golden.suspects" not in self.reading.there:
            return []
        orders = {row["golden_id"]: row["orders"] for row in self.reading.rows(_ORDERS, "marts.fct_order")}
        return open_questions(Book(self.workspace), orders)

    @cached_property
    def examples(self) -> list[tuple[str, str, Pair]]:
        """Telling pairs: title, party type, and the two records."""
        return [(title, party.party, pair) for party in self.parties for title, pair in self._telling(party)]

    @cached_property
    def explained(self) -> Explained:
        """Why the examples and the first of the questions weigh what they weigh."""
        asked = [pair for *_, pair in self.examples] + [(one.left, one.right) for one in self.questions[:SHOWN]]
        return explain_known(self.workspace, asked)

    def _telling(self, party: PartyClusters) -> list[tuple[str, Pair]]:
        """The strongest pair that was not joined, the weakest that was, and one in the middle."""
        if not party.pairs.height:
            return []
        ids = party.records.join(self.members, on=["source", "source_key"], how="left").select("rid", "golden_id")
        met = party.pairs.join(ids.rename({"golden_id": "left"}), left_on="rid_l", right_on="rid").join(
            ids.rename({"golden_id": "right"}), left_on="rid_r", right_on="rid"
        ).sort("weight", "rid_l", "rid_r")  # fmt: skip
        joined, apart = (met.filter((pl.col("left") == pl.col("right")) == same) for same in (True, False))
        chosen = []
        if apart.height:
            chosen.append(("The strongest pair that was not joined", apart.row(-1, named=True)))
        if joined.height:
            chosen.append(("The weakest pair that was joined", joined.row(0, named=True)))
            chosen.append(("A typical pair that was joined", joined.row(joined.height // 2, named=True)))
        rids = sorted({rid for _, row in chosen for rid in (row["rid_l"], row["rid_r"])})
        found = party.records.filter(pl.col("rid").is_in(rids)).select("rid", "source", "source_key").rows()
        named = {rid: (source, key) for rid, source, key in found}
        return [(title, (named[row["rid_l"]], named[row["rid_r"]])) for title, row in chosen]


@contextmanager
def open_linking(reading: Reading) -> Iterator[Linking]:
    """Open identity for the pages; what nobody asks for is not read."""
    workspace = Workspace(
        reading.lake, reading.catalog, reading.settings.warehouse, reading.run_id, reading.now,
        memory_limit=reading.settings.memory_limit, threads=reading.settings.threads,
    )  # fmt: skip
    if not workspace.cursor(FEATURES):
        yield Linking(reading, workspace, [])
        return
    with workspace.connection() as con:
        yield Linking(reading, workspace, [PartyClusters(con, workspace, party) for party in PARTIES])
