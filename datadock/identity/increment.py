"""What a run has to look at again: all that a change can reach; of the rest no more is needed than its counts.

Records hang together by strong pairs, by decisions, and by golden ids that they bear or ever bore. What hangs together
with nothing that changed stays as it is, in clusters and in ids. How clusters and ids are made is not here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import duckdb
import polars as pl

from datadock import names
from datadock.identity.ledger import named_records
from datadock.identity.workspace import FEATURES, Workspace, latest_of
from datadock.warehouse.lake_tables import TABLES

TOUCHED = "dd_touched"
"""Temp table of ``find_touched``: source, source_key."""

_RESETS = ("spec", "store", "apart", "threshold", "models")
"""Inputs that may break or join any cluster where they change."""

_KEYS = {"source": "varchar", "source_key": "varchar", "generation": "bigint"}
_RECORD = "hash(source, source_key)"
"""Records as numbers. Two of the same number would only be looked at together, which changes nothing."""


@dataclass(frozen=True)
class Rest:
    """The records that a run does not look at.

    Attributes:
        records: How many they are.
        golden: Their golden contacts.
        largest: Records of the largest of these.
    """

    records: int = 0
    golden: int = 0
    largest: int = 0


def find_touched(
    con: duckdb.DuckDBPyConnection, workspace: Workspace, inputs: dict[str, Any], decisions: pl.DataFrame
) -> Rest | None:
    """Create the table ``TOUCHED`` of the records that a change since the last memberships can reach.

    Args:
        con: Connection.
        workspace: The run's workspace.
        inputs: What the memberships are to be made of now.
        decisions: The ledger, perhaps with decisions that are only thought of; their records are looked at every time.

    Returns:
        What there is beside; None where everything is to be looked at.
    """
    before = workspace.cursor(names.MEMBERSHIPS)
    if not before or any(before.get(key) != inputs.get(key) for key in _RESETS):
        return None
    log = workspace.scan_or_empty(names.MEMBERSHIPS, TABLES[names.MEMBERSHIPS])
    features = workspace.scan_or_empty(FEATURES, _KEYS)
    _create_bonds(con, workspace, inputs, log)
    con.register("dd_named", named_records(decisions).to_arrow())
    con.execute(
        f"create or replace temp table dd_reached as select {_RECORD} as h from {features} "
        f"where generation > {int(before['generation'])} union select {_RECORD} from dd_named"
    )
    con.unregister("dd_named")
    _spread(con)
    con.execute(
        f"create or replace temp table {TOUCHED} as select distinct source, source_key from {features} "
        f"where {_RECORD} in (from dd_reached)"
    )
    rest = _rest(con, log)
    limit = workspace.catalog.identity.limits.cluster_records
    return rest if rest.largest <= limit else None  # a contact over the limit is described whole


def _create_bonds(con: duckdb.DuckDBPyConnection, workspace: Workspace, inputs: dict[str, Any], log: str) -> None:
    """Create ``dd_bonds``: records joined by a strong pair, now or before, and records with the ids that they bore."""
    pairs = workspace.scan_or_empty(names.PAIRS, TABLES[names.PAIRS])
    versions = ", ".join(f"'{version}'" for version in inputs["models"].values())
    con.execute(
        "create or replace temp table dd_bonds as select hash(left_source, left_key) as l, "
        f"hash(right_source, right_key) as r from {pairs} where match_weight >= {min(inputs['threshold'].values())} "
        f"and model_version in ({versions or 'null'}) "
        f"union all select {_RECORD}, hash(golden_id) from {log} where golden_id is not null"
    )


def _spread(con: duckdb.DuckDBPyConnection) -> None:
    """Add to ``dd_reached`` whatever hangs together with it."""
    con.execute("create or replace temp table dd_edge as from dd_reached")
    while con.execute("select count(*) from dd_edge").fetchall()[0][0]:
        con.execute(
            "create or replace temp table dd_edge as select distinct h from (select r as h from dd_bonds "
            "where l in (from dd_edge) union all select l from dd_bonds where r in (from dd_edge)) "
            "where h not in (from dd_reached)"
        )
        con.execute("insert into dd_reached from dd_edge")


def _rest(con: duckdb.DuckDBPyConnection, log: str) -> Rest:
    kept = f"({latest_of(log, 'source', 'source_key')})"
    records, golden, largest = con.execute(
        "select coalesce(sum(n), 0), count(*), coalesce(max(n), 0) from (select count(*) as n from "
        f"{kept} where golden_id is not null and {_RECORD} not in (from dd_reached) group by hash(golden_id))"
    ).fetchall()[0]
    return Rest(int(records), int(golden), int(largest))


def touched_log(workspace: Workspace) -> str:
    """Return SQL of the membership log's rows of the records that ``find_touched`` found."""
    log = workspace.scan_or_empty(names.MEMBERSHIPS, TABLES[names.MEMBERSHIPS])
    return f"(from {log} where {_RECORD} in (from dd_reached))"


def lineage_log(con: duckdb.DuckDBPyConnection, workspace: Workspace, since: int) -> str:
    """Return SQL of the rows that redirects, and the lineage of ids that moved since a generation, follow from.

    These are all rows of records that were told more than once, and of records that ever bore an id of theirs or one
    told since.
    """
    log = workspace.scan_or_empty(names.MEMBERSHIPS, TABLES[names.MEMBERSHIPS])
    con.execute(
        f"create or replace temp table dd_again as select source, source_key from {log} semi join "
        f"(from {log} where generation > (select min(generation) from {log})) using (source, source_key) "
        "group by source, source_key having count(*) > 1"
    )
    con.execute(
        "create or replace temp table dd_ids as "
        f"select golden_id from {log} semi join dd_again using (source, source_key) "
        f"union select golden_id from {log} where generation > {since}"
    )
    con.execute(
        "create or replace temp table dd_bearers as select source, source_key from dd_again "
        f"union select source, source_key from {log} semi join dd_ids using (golden_id)"
    )
    return f"(from {log} semi join dd_bearers using (source, source_key))"
