"""The ledger of decisions as it is read: what stewards decided of pairs, and what of it stands today.

Append-only. A decision is one or more rows of one id, each on a pair of source records. Taking and
previewing decisions are elsewhere (``decisions``, ``preview``); nothing here writes but ``append_rows``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from datadock import names
from datadock.errors import LakeError
from datadock.identity.workspace import Workspace

MUST, NEVER = "must_link", "never_link"
WITHDRAWN = "withdrawn"
"""Kind of the rows that take a decision back, a row per pair of it; ``withdraws`` names it."""

UNSURE = "unsure"
"""Kind of a reviewer's answer that decides nothing; kept, so that the pair is asked again last."""

LINKING = (MUST, NEVER)

_PAIR = ("left_source", "left_key", "right_source", "right_key")
SCHEMA = pl.Schema(
    {
        **dict.fromkeys(("decision_id", "kind", *_PAIR, "decided_by"), pl.String()),
        "decided_at": pl.Datetime("us", "UTC"),
        **dict.fromkeys(("reason", "action", "withdraws"), pl.String()),
    }
)
"""Columns of the ledger; ``action`` says by which act a row came: merge, split, refuse, review, withdraw."""


def read_decisions(workspace: Workspace) -> pl.DataFrame:
    """Read the whole ledger, oldest decision first; columns as of ``SCHEMA``."""
    return _read(workspace.lake.files(names.DECISIONS))


def append_rows(workspace: Workspace, decision_id: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Append the rows of one decision, once."""
    table = pl.DataFrame(list(rows), schema=SCHEMA).to_arrow()
    workspace.lake.append_once(names.DECISIONS, table, f"decision:{decision_id}")


def withdrawals(decisions: pl.DataFrame) -> pl.Series:
    """Return the ids of decisions that were taken back."""
    return decisions.filter(pl.col("kind") == WITHDRAWN)["withdraws"].drop_nulls().unique()


def standing(decisions: pl.DataFrame) -> pl.DataFrame:
    """Return the decision that holds of each pair: of those not taken back, the latest.

    Args:
        decisions: As of ``read_decisions``.

    Returns:
        The must-link and never-link rows that hold; a pair stands there once, whichever record comes first.
    """
    holding = decisions.filter(
        pl.col("kind").is_in(LINKING) & ~pl.col("decision_id").is_in(withdrawals(decisions).implode())
    )
    return latest_of_pairs(holding)


def listed(decisions: pl.DataFrame) -> list[dict[str, Any]]:
    """Return one row per decision, oldest first, for whoever reads the ledger.

    Returns:
        decision_id, action, kind, pairs (number), left and right (of the first pair, SOURCE:KEY), by, at, reason,
        withdraws, holds (whether it holds of any of its pairs), withdrawn_by.
    """
    holding = set(standing(decisions)["decision_id"])
    taken_back = {
        row["withdraws"]: row["decision_id"] for row in decisions.filter(pl.col("kind") == WITHDRAWN).to_dicts()
    }
    found = []
    for rows in decisions.partition_by("decision_id", maintain_order=True):
        first = rows.row(0, named=True)
        identifier = first["decision_id"]
        found.append(
            {
                "decision_id": identifier,
                "action": first["action"] or {MUST: "merge", NEVER: "refuse"}.get(first["kind"], first["kind"]),
                "kind": first["kind"],
                "pairs": rows.height,
                "left": f"{first['left_source']}:{first['left_key']}",
                "right": f"{first['right_source']}:{first['right_key']}",
                "by": first["decided_by"],
                "at": first["decided_at"],
                "reason": first["reason"],
                "withdraws": first["withdraws"],
                "holds": identifier in holding,
                "withdrawn_by": taken_back.get(identifier),
            }
        )
    return found


def latest_of_pairs(decisions: pl.DataFrame) -> pl.DataFrame:
    """Return the last row of each pair, whichever record comes first."""
    sides = [pl.concat_str(f"{side}_source", f"{side}_key", separator="\x1f") for side in ("left", "right")]
    return (
        decisions.with_columns(_low=pl.min_horizontal(sides), _high=pl.max_horizontal(sides))
        .unique(["_low", "_high"], keep="last", maintain_order=True)
        .drop("_low", "_high")
    )


def since_version(workspace: Workspace, decisions: pl.DataFrame, version: int) -> pl.DataFrame:
    """Return the rows of decisions that a version of the ledger did not hold; those that change nothing left out.

    Args:
        workspace: The deployment's.
        decisions: As of ``read_decisions``, perhaps with more that are not written.
        version: Delta version; all rows are new where it is -1, or can no longer be read.
    """
    try:
        known = _read(workspace.lake.files(names.DECISIONS, version) if version >= 0 else [])
    except (LakeError, FileNotFoundError):
        known = pl.DataFrame(schema=SCHEMA)
    fresh = ~pl.col("decision_id").is_in(known["decision_id"].unique().implode())
    return decisions.filter(fresh & (pl.col("kind") != UNSURE))


def named_records(decisions: pl.DataFrame) -> pl.DataFrame:
    """Return source and source_key of every record that decisions name."""
    sides = [decisions.select(source=f"{side}_source", source_key=f"{side}_key") for side in ("left", "right")]
    return pl.concat(sides).unique()


def _read(files: Sequence[str]) -> pl.DataFrame:
    """Read data files of the ledger; those of before a column was there hold null in it."""
    frames = [pl.read_parquet(file).cast({"decided_at": SCHEMA["decided_at"]}) for file in files]
    whole = pl.concat([pl.DataFrame(schema=SCHEMA), *frames], how="diagonal")
    return whole.select(list(SCHEMA)).sort("decided_at", maintain_order=True)
