"""What is told of contacts, for survivorship: their records, the moves that are due, and what reaches nobody."""

from __future__ import annotations

import duckdb

from datadock import names
from datadock.catalog.fields import MODEL
from datadock.identity.workspace import CONTACTS, Workspace, latest_of
from datadock.warehouse.lake_tables import TABLES

FIELD_TYPES = {
    "text": "varchar", "date": "date", "timestamp": "timestamp with time zone", "integer": "bigint",
    "decimal": "decimal(18, 2)", "number": "double", "boolean": "boolean",
}  # fmt: skip
"""Type of a field to the DuckDB type of its golden value."""

_FEW = 4
"""Contacts are few where so many times as many would still not be all: then only their points are read."""

_MOVES = "warehouse.intermediate.int_move"
_MOVED = ("address_line", "address_extra", "postcode", "city", "country")


def stored_points(workspace: Workspace) -> str:
    """Return SQL of the log of contact points; no row where there is none."""
    return workspace.scan_or_empty(names.CONTACT_POINTS, TABLES[names.CONTACT_POINTS])


def create_members(con: duckdb.DuckDBPyConnection, workspace: Workspace) -> None:
    """Create the view ``dd_touched_members``: what ``survive`` chooses among.

    A move that is due tells its new address with its own source, key and day; it makes no contact.

    Args:
        con: Connection with ``dd_current`` (source, source_key, golden_id) and ``dd_touched`` (golden_id).
        workspace: The run's workspace.
    """
    con.execute(
        "create or replace temp table dd_touched_current as from dd_current semi join dd_touched using (golden_id)"
    )
    _unusable(con, workspace)
    _moves(con, workspace)
    own = ", ".join(f"c.{name}::{FIELD_TYPES[kind]} as {name}" for name, (_, kind) in MODEL["contact"].items())
    moved = ", ".join(
        f"{f'm.{name}' if name in _MOVED else 'null'}::{FIELD_TYPES[kind]} as {name}"
        for name, (_, kind) in MODEL["contact"].items()
    )
    con.execute(
        "create or replace temp view dd_touched_members as select m.golden_id, c.source, c.source_key, c.party_type, "
        "c.record_updated_at::timestamptz as record_updated_at, c._received_at::timestamptz as _received_at, "
        f"{own}, coalesce(u.unusable, []) as unusable, true as is_record from dd_touched_current m "
        f"join {CONTACTS} c using (source, source_key) left join dd_unusable u using (source, source_key) "
        "union all select k.golden_id, m.source, m.source_key, c.party_type, m.moves_on::timestamptz, "
        f"m._received_at::timestamptz, {moved}, coalesce(u.unusable, []), false from dd_moves m "
        "join dd_touched_current k on k.source = m.contact_source and k.source_key = m.contact_key "
        f"join {CONTACTS} c on c.source = m.contact_source and c.source_key = m.contact_key "
        "left join dd_unusable u on u.source = m.source and u.source_key = m.source_key"
    )


def _unusable(con: duckdb.DuckDBPyConnection, workspace: Workspace) -> None:
    """Create ``dd_unusable``: the fields of a record, or of a move, by which nobody can be reached."""
    stored = stored_points(workspace)
    looked, all_ = con.execute(
        "select (select count(*) from dd_touched_current), (select count(*) from dd_current)"
    ).fetchall()[0]
    if _FEW * looked < all_:
        # A point may have been another contact's before: its newest row says whose it is.
        named = (
            f"select point_id from {stored} semi join dd_touched_current t "
            "on t.source = contact_source and t.source_key = contact_key"
        )
        con.execute(
            f"create or replace temp table dd_points_told as from {stored} semi join ({named}) using (point_id)"
        )
        stored = "dd_points_told"
    points = latest_of(stored, "point_id")
    con.execute(
        "create or replace temp table dd_unusable as select source, source_key, "
        "list(case when kind = 'address' then 'address_line' else field end) as unusable "
        f"from ({points}) where op = 'open' and not usable "
        "and (kind <> 'address' or field in ('address', 'address_move')) group by all"
    )


def _moves(con: duckdb.DuckDBPyConnection, workspace: Workspace) -> None:
    """Create ``dd_moves``: the moves that are due; none where the warehouse has contacts only."""
    there = con.execute(
        "select 1 from information_schema.tables where table_catalog = 'warehouse' and table_name = 'int_move'"
    ).fetchall()
    texts = ", ".join(f"null::varchar as {name}" for name in ("source", "source_key", *_MOVED))
    con.execute(
        "create or replace temp view dd_moves as "
        + (
            f"from {_MOVES} where moves_on <= date '{workspace.run_at.date().isoformat()}'"
            if there
            else f"select {texts}, null::varchar as contact_source, null::varchar as contact_key, "
            "null::date as moves_on, null::timestamptz as _received_at where false"
        )
    )
