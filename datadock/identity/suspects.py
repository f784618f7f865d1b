"""The suspects asset: pairs a person should look at, most doubtful decisions first.

Two kinds: pairs too weak to join and too strong to forget, and pairs strong enough by themselves
whose clusters were held apart. A suspect that is no longer one is closed, never deleted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import duckdb

from datadock import names
from datadock.catalog.fields import STORED_FROM
from datadock.identity.ledger import named_records, read_decisions, since_version, standing
from datadock.identity.memberships import current_memberships, read_log
from datadock.identity.workspace import FEATURES, Workspace
from datadock.warehouse.lake_tables import TABLES

_FIXED = ("spec", "store", "apart", "models")
"""Inputs that touch every pair where they change."""

_FEATURES = {
    "source": "varchar", "source_key": "varchar", "party_type": "varchar", "op": "varchar", "feature_hash": "varchar",
    "generation": "bigint",
}  # fmt: skip

_PAIR = "left_source, left_key, right_source, right_key"


@dataclass(frozen=True)
class SuspectsReport:
    """The state of the review queue.

    Attributes:
        changed: False where nothing was new and nothing was written.
        opened: Suspects new in this run.
        closed: Suspects that are none any more.
        open: Suspects now.
    """

    changed: bool
    opened: int
    closed: int
    open: int


def find_suspects(workspace: Workspace) -> SuspectsReport:
    """Bring the review queue up to pairs, memberships and decisions.

    Args:
        workspace: The run's workspace; ``assign_identities`` has run.
    """
    scored = workspace.cursor(names.PAIRS)
    log = read_log(workspace)
    inputs = {
        **scored,
        "pairs": workspace.lake.version(names.PAIRS),
        "memberships": workspace.lake.version(names.MEMBERSHIPS),
        "decisions": workspace.lake.version(names.DECISIONS),
        "moves": int(log["generation"].max() or 0),  # type: ignore[arg-type]  # an integer column
    }
    before = workspace.cursor(names.SUSPECTS)
    with workspace.connection() as con:
        _queue(con, workspace)
        if before == inputs:
            open_ = int(con.execute("select count(*) from dd_queue where status = 'open'").fetchall()[0][0])
            return SuspectsReport(False, 0, 0, open_)
        con.register("dd_log", log.select("source", "source_key", "generation").to_arrow())
        con.register("dd_current", current_memberships(log).drop_nulls("golden_id").to_arrow())
        decisions = read_decisions(workspace)
        fresh = since_version(workspace, decisions, int(before.get("decisions", -1)))
        con.register("dd_decided", standing(decisions).to_arrow())
        con.register("dd_fresh", named_records(fresh).to_arrow())
        kept = 0
        if before and all(before.get(key) == inputs.get(key) for key in _FIXED):
            kept = _only_touched(con, workspace, before)
        con.execute(f"create or replace temp table dd_suspects as {_suspects_sql(con, workspace, scored)}")
        rows = con.sql(_difference_sql(workspace)).to_arrow_table()
        open_ = kept + int(con.execute("select count(*) from dd_suspects").fetchall()[0][0])
    workspace.append(names.SUSPECTS, rows, inputs)
    closed = rows.column("status").to_pylist().count("closed")
    return SuspectsReport(True, rows.num_rows - closed, closed, open_)


def open_suspects(workspace: Workspace) -> dict[tuple[tuple[str, str], tuple[str, str]], float]:
    """Return the suspects that the last run left open: both source records, with the pair's weight in bits."""
    with workspace.connection() as con:
        _queue(con, workspace)
        rows = con.execute(
            f"select {_PAIR}, match_weight from dd_queue where status = 'open' order by {_PAIR}"
        ).fetchall()
    return {((a, b), (c, d)): weight for a, b, c, d, weight in rows}


def _queue(con: duckdb.DuckDBPyConnection, workspace: Workspace) -> None:
    stored = workspace.scan_or_empty(names.SUSPECTS, TABLES[names.SUSPECTS])
    con.execute(
        f"create or replace temp table dd_queue as select {_PAIR}, arg_max(status, recorded_at) as status, "
        "arg_max(match_weight, recorded_at) as match_weight, "
        "arg_max(match_probability, recorded_at) as match_probability "
        f"from {stored} group by all"
    )
    con.execute(
        f"create or replace temp view dd_scored as from {workspace.scan_or_empty(names.PAIRS, TABLES[names.PAIRS])}"
    )


def _only_touched(con: duckdb.DuckDBPyConnection, workspace: Workspace, before: dict[str, Any]) -> int:
    """Leave only pairs and suspects of records that moved or changed since; return how many other suspects are open."""
    features = workspace.scan_or_empty(FEATURES, _FEATURES)
    con.execute(
        "create or replace temp table dd_touched as "
        f"select source, source_key from {features} where generation > {before['generation']} "
        f"union select source, source_key from dd_log where generation > {before['moves']} "
        "union select source, source_key from dd_fresh"
    )
    sides = " or ".join(
        f"exists (select 1 from dd_touched where source = {side}_source and source_key = {side}_key)"
        for side in ("left", "right")
    )
    rest = con.execute(f"select count(*) from dd_queue where status = 'open' and not ({sides})").fetchall()[0][0]
    con.execute(f"delete from dd_queue where not ({sides})")
    pairs = workspace.scan_or_empty(names.PAIRS, TABLES[names.PAIRS])
    con.execute(f"create or replace temp view dd_scored as from {pairs} where {sides}")
    return int(rest)


def _suspects_sql(con: duckdb.DuckDBPyConnection, workspace: Workspace, scored: dict[str, Any]) -> str:
    """SQL of the pairs whose records and model are what they were, that no decision settles and no contact joins."""
    versions = ", ".join(f"('{version}', '{party}')" for party, version in scored.get("models", {}).items())
    con.execute(
        f"create or replace temp table dd_near as select {_PAIR}, left_hash, right_hash, party, "
        "any_value(match_weight) as match_weight from dd_scored "
        f"join (values {versions or '(null, null)'}) v(model_version, party) using (model_version) "
        f"where match_weight >= {STORED_FROM} group by all"
    )
    con.execute(
        "create or replace temp table dd_now as select source, source_key, arg_max(op, generation) as op, "
        "arg_max(feature_hash, generation) as feature_hash, arg_max(party_type, generation) as party "
        f"from (from {workspace.scan_or_empty(FEATURES, _FEATURES)} semi join (select left_source as source, "
        "left_key as source_key from dd_near union select right_source, right_key from dd_near) "
        "using (source, source_key)) group by source, source_key having arg_max(op, generation) = 'upsert'"
    )
    decided = (
        f"select {_PAIR} from dd_decided union select right_source, right_key, left_source, left_key from dd_decided"
    )
    joins = " ".join(
        f"join dd_now {side[0]} on {side[0]}.source = {side}_source and {side[0]}.source_key = {side}_key "
        f"and {side[0]}.feature_hash = {side}_hash and {side[0]}.party = p.party "
        f"join dd_current c{side[0]} on c{side[0]}.source = {side}_source and c{side[0]}.source_key = {side}_key"
        for side in ("left", "right")
    )
    return (
        f"select {_PAIR}, match_weight, 1 / (1 + power(2.0, -match_weight)) as match_probability "
        f"from (select {_PAIR}, p.match_weight from dd_near p {joins} where cl.golden_id <> cr.golden_id) "
        f"anti join ({decided}) using ({_PAIR})"
    )


def _difference_sql(workspace: Workspace) -> str:
    tail = f"'{workspace.run_id}' as run_id, '{workspace.run_at.isoformat()}'::timestamptz as recorded_at"
    return (
        f"select {_PAIR}, s.match_weight, s.match_probability, {tail}, 'open' as status from dd_suspects s "
        f"left join dd_queue q using ({_PAIR}) where q.status is null or q.status <> 'open' "
        "or q.match_weight <> s.match_weight "
        f"union all select {_PAIR}, q.match_weight, q.match_probability, {tail}, 'closed' as status from dd_queue q "
        f"anti join dd_suspects using ({_PAIR}) where q.status = 'open' order by {_PAIR}"
    )
