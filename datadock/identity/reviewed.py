"""The decisions that people took, as a sample: what the model alone says of the same pairs.

The linking obeys every decision, so its partition cannot be judged by them; the weights can.
"""

from __future__ import annotations

import polars as pl

from datadock import names
from datadock.accuracy import PAIR, Evaluation, picked_from_queue, score_pairs
from datadock.dock import open_dock
from datadock.errors import DatadockError
from datadock.identity.judgement import decided_pairs
from datadock.identity.ledger import read_decisions
from datadock.identity.partition import PartyClusters
from datadock.identity.workspace import PARTIES, Workspace, open_workspace
from datadock.settings import Settings
from datadock.warehouse.lake_tables import TABLES

_HOW = (
    "judged by the model's weight of each pair, as the linking itself obeys every decision; a pair that blocking "
    "did not find counts as not joined"
)


def evaluate_ledger(settings: Settings) -> Evaluation:
    """Score the weights in use on all decided pairs.

    Raises:
        DatadockError: When nobody has decided anything yet.
    """
    workspace = open_workspace(open_dock(settings), "evaluate")
    pairs = decided_weights(workspace)
    if not pairs.height:
        raise DatadockError(
            "no decision is in the ledger", expected="pairs that people decided on", action="review suspects first"
        )
    with workspace.connection() as con:
        columns = {column: TABLES[names.SUSPECTS][column] for column in PAIR}
        queued = con.sql(f"select distinct * from {workspace.scan_or_empty(names.SUSPECTS, columns)}").pl()
    return score_pairs(pairs, "decisions", (_HOW, *picked_from_queue(pairs, queued)))


def decided_weights(workspace: Workspace) -> pl.DataFrame:
    """Return the decided pairs of records that are there: left, right, same, weight (null where not kept), found.

    ``found`` says whether the weight reaches the threshold of the catalog.
    """
    decided = decided_pairs(read_decisions(workspace))
    threshold = workspace.catalog.identity.threshold.model_dump()
    parts = []
    with workspace.connection() as con:
        for party in PARTIES:
            found = PartyClusters(con, workspace, party).weights_of(decided)
            parts.append(found.with_columns(found=(pl.col("weight") >= threshold[party]).fill_null(value=False)))
    return pl.concat(parts)
