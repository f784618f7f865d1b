"""Which record says which contact point, since when, and what may be done with it: a log in the lake.

A contact point is one value in one field of one source record. It opens when the record first says it, closes when
the record says another, and changes its state by what is known of its value and by what happened to it: returned
letters, bounces, moves. A run looks again only at the points of contacts that something came of or happened to; each
row of the log is one change, which is also the event that others hear.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from datadock import names
from datadock.catalog import Catalog
from datadock.contact_points.incidents import create_incidents
from datadock.contact_points.kinds import (
    ADDRESS,
    ADDRESS_PARTS,
    EMAIL,
    ENTITIES,
    KINDS,
    PHONE,
    contact_fields,
    latest_forms,
    text,
    value_id,
)
from datadock.contact_points.touched import ADDRESSES, CONTACT, MOVES, TOUCHED, find_touched
from datadock.identity.workspace import CONTACTS, Workspace, latest_of
from datadock.warehouse.arrived import staged
from datadock.warehouse.lake_tables import TABLES

LOG = TABLES[names.CONTACT_POINTS]
"""Columns of the log of contact points, with their DuckDB types."""

_SOME_ADDRESS = f"coalesce({', '.join(ADDRESS_PARTS[:4])}) is not null"
_JUDGED = ("contact_source", "contact_key", "normal_form", "type", "status", "usable", "reason", "incidents", "until")
_DOUBTED = "p.status = 'A_CONFIRMER' and not (p.kind = 'email' and p.codes = ['ADRESSE_DE_FONCTION'])"
"""A doubt blocks, but that a mailbox is a function's: it may be what a company gave to be written to."""


@dataclass(frozen=True)
class PointsReport:
    """What became of the contact points.

    Attributes:
        points: Open contact points.
        looked_at: Points that were looked at again.
        changes: Kind of change to number of log rows written.
        usable: Kind of contact point to open points that may be used.
    """

    points: int
    looked_at: int
    changes: dict[str, int] = field(default_factory=dict)
    usable: dict[str, int] = field(default_factory=dict)


def update_points(workspace: Workspace) -> PointsReport:
    """Bring the log of contact points up to contacts, values, incidents and the day of the run.

    Args:
        workspace: The run's workspace; ``update_values`` has run.

    Raises:
        WarehouseError: When the contacts cannot be read.
    """
    before = workspace.cursor(names.CONTACT_POINTS)
    generation = int(before.get("generation", 0)) + 1
    with workspace.connection(with_contacts=True) as con:
        inputs: dict[str, Any] = {
            "values": {kind.name: workspace.cursor(kind.table).get("generation", 0) for kind in KINDS},
            "rules": _rules(workspace),
            "due_on": _due_on(con, workspace),
            "day": workspace.run_at.date().isoformat(),
            "staged": staged(con, ENTITIES),
        }
        partly = find_touched(con, workspace, before, inputs)
        _load_told(con, partly=partly)
        con.execute(f"create or replace temp table dd_now as {_now(workspace.catalog)}")
        _load_state(con, workspace, partly=partly)
        _value_forms(con, workspace, partly=partly)
        create_incidents(con, workspace)
        _judge(con, workspace)
        con.execute(f"create or replace temp table dd_changes as {_changes(workspace, generation)}")
        report = _report(con, before["totals"] if partly else None)
        inputs["totals"] = {"points": report.points, "usable": report.usable}
        moved = any(before.get(name) != inputs[name] for name in ("values", "rules", "due_on"))
        if report.changes or moved:
            inputs["generation"] = generation
            rows = con.sql(f"select {', '.join(LOG)} from dd_changes order by kind, source, source_key")
            workspace.append(names.CONTACT_POINTS, rows.to_arrow_table(), inputs)
    return report


def _load_told(con: duckdb.DuckDBPyConnection, *, partly: bool) -> None:
    """Create ``dd_contacts``, ``dd_addresses``, ``dd_moves``: what the records say of those who are looked at."""
    for name, table, contact in (
        ("dd_contacts", CONTACTS, ("source", "source_key")),
        ("dd_addresses", ADDRESSES, CONTACT),
        ("dd_moves", MOVES, CONTACT),
    ):
        on = " and ".join(f"t.{one} = l.{other}" for one, other in zip(contact, CONTACT, strict=True))
        kind, some = ("table", f" semi join {TOUCHED} l on {on}") if partly else ("view", "")
        con.execute(f"create or replace temp {kind} {name} as select t.* from {table} t{some}")


def _now(catalog: Catalog) -> str:
    """SQL of every contact point that the records say now."""
    own = "source, source_key, source as contact_source, source_key as contact_key"
    told = "coalesce(record_updated_at, _received_at) as told_at, record_updated_at is not null as is_told"
    no_period = "null::date as starts, null::date as ends"
    parts = [
        f"select {own}, '{kind}' as kind, '{name}' as field, {value_id(text(name))} as value_id, "
        f"{text(name)} as value, {told}, {no_period} from dd_contacts where {text(name)} is not null"
        for kind in (EMAIL.name, PHONE.name)
        for name in contact_fields(catalog, kind)
    ]
    linked = "source, source_key, contact_source, contact_key"
    address = f"{value_id(*ADDRESS_PARTS)} as value_id, {address_text()} as value, {told}"
    parts += [
        f"select {own}, 'address' as kind, 'address' as field, {address}, {no_period} from dd_contacts "
        f"where {_SOME_ADDRESS}",
        f"select {linked}, 'address', 'address_' || coalesce(lower(address_type), 'other'), {address}, "
        f"valid_from, valid_to from dd_addresses where {_SOME_ADDRESS}",
        f"select {linked}, 'address', 'address_move', {address}, moves_on, null::date "
        f"from dd_moves where {_SOME_ADDRESS} and moves_on is not null",
    ]
    union = " union all ".join(parts)
    return f"select {value_id('source', 'source_key', 'field', 'value_id')} as point_id, * from ({union})"


def address_text(prefix: str = "") -> str:
    """Return SQL of an address as one text, as it was declared."""
    line, extra, postcode, city, country = (prefix + name for name in ADDRESS_PARTS)
    return f"concat_ws(', ', {extra}, {line}, nullif(concat_ws(' ', {postcode}, {city}), ''), {country})"


def _load_state(con: duckdb.DuckDBPyConnection, workspace: Workspace, *, partly: bool) -> None:
    """Create ``dd_state``: the newest row of every point of those who are looked at."""
    stored, own = workspace.scan_or_empty(names.CONTACT_POINTS, LOG), ""
    if partly:
        # A point may have been another contact's before: its newest row says whose it is.
        own = f"semi join {TOUCHED} using (contact_source, contact_key)"
        stored = f"(select * from {stored} semi join (select point_id from {stored} {own}) using (point_id))"
        con.execute(f"create or replace temp table dd_log as from {stored}")
        stored = "dd_log"
    con.execute(f"create or replace temp table dd_state as select * from ({latest_of(stored, 'point_id')}) {own}")


def _value_forms(con: duckdb.DuckDBPyConnection, workspace: Workspace, *, partly: bool) -> None:
    """Create ``dd_points``: the points of now with the normal form and status of their value."""
    wanted = "(select value_id from dd_now)" if partly else None
    forms = " union all by name ".join(
        f"select *, '{kind.name}' as kind from ({latest_forms(workspace, kind, wanted)})"
        for kind in (ADDRESS, PHONE, EMAIL)
    )
    con.execute(
        "create or replace temp table dd_points as "
        # The first address that is known of a contact has no known beginning, unless its record says so.
        "with earlier as (select contact_source, contact_key, kind from dd_state group by all) "
        "select w.*, f.* exclude (value_id, kind), "
        "coalesce(s.since, w.starts::timestamptz, least(w.told_at, w.ends::timestamptz)) as since, "
        "coalesce(s.since_known, w.starts is not null or (w.ends is null and (w.is_told or e.kind is not null))) "
        f"as since_known from dd_now w left join ({forms}) f using (kind, value_id) "
        "left join (from dd_state where op = 'open') s using (point_id) "
        "left join earlier e on e.contact_source = w.contact_source and e.contact_key = w.contact_key "
        "and e.kind = w.kind"
    )


def _judge(con: duckdb.DuckDBPyConnection, workspace: Workspace) -> None:
    """Create ``dd_judged``: each point with its state; the first reason that holds is the one told."""
    today = _today(workspace)
    con.execute(
        "create or replace temp table dd_reasons as select p.*, coalesce(i.incidents, 0) as incidents, case "
        f"when p.status is null or p.status in ('VIDE', 'REJETEE') or ({_DOUBTED}) then coalesce(p.status, 'VIDE') "
        "when m.left_at is not null then 'DEMENAGEMENT' "
        f"when p.ends < {today} then 'PERIODE_FINIE' "
        f"when p.starts > {today} then 'ANNONCEE' "
        "else i.reason end as reason, m.left_at, i.reached_at "
        "from dd_points p left join dd_incidents i using (point_id) left join dd_left m using (point_id)"
    )
    con.execute(
        "create or replace temp table dd_judged as select *, reason is null as usable, "
        "case reason when 'DEMENAGEMENT' then left_at when 'PERIODE_FINIE' then ends::timestamptz end as until, "
        "case reason when 'DEMENAGEMENT' then left_at when 'PERIODE_FINIE' then ends::timestamptz "
        "else case when reached_at is not null and reason not in ('VIDE', 'REJETEE', 'A_CONFIRMER') then reached_at "
        "end end as happened_at from dd_reasons"
    )


def _changes(workspace: Workspace, generation: int) -> str:
    differs = " or ".join(f"j.{name} is distinct from s.{name}" for name in _JUDGED)
    at = f"'{workspace.run_at.isoformat()}'::timestamptz"
    stamps = f"{generation}::bigint as generation, '{workspace.run_id}' as run_id, {at} as recorded_at"
    judged = (
        "select j.point_id, 'open' as op, case when s.point_id is null then 'opened' "
        "when s.op = 'closed' then 'reopened' "
        "when s.usable and not j.usable then 'invalidated' when j.usable and not s.usable then 'restored' "
        "when j.incidents <> s.incidents then 'counted' else 'corrected' end as change, "
        "j.source, j.source_key, j.contact_source, j.contact_key, j.kind, j.field, j.value_id, j.value, j.normal_form, "
        "j.type, j.status, j.codes, j.usable, j.reason, j.incidents, j.since, j.since_known, j.until, "
        f"coalesce(j.happened_at, case when s.point_id is null or s.op = 'closed' then j.since else {at} end) "
        f"as happened_at, {stamps} from dd_judged j left join dd_state s using (point_id) "
        f"where s.point_id is null or s.op = 'closed' or {differs}"
    )
    told = (
        "select source, source_key, max(coalesce(record_updated_at, _received_at)) as came_at "
        "from dd_contacts group by all"
    )
    gone = (
        "select s.* replace ('closed' as op, 'closed' as change, false as usable, "
        "case when t.came_at is null then 'RETIREE' else 'REMPLACEE' end as reason, "
        f"coalesce(s.until, t.came_at, {at}) as until, coalesce(t.came_at, {at}) as happened_at, "
        f"{generation}::bigint as generation, '{workspace.run_id}' as run_id, {at} as recorded_at) "
        "from dd_state s anti join dd_now using (point_id) "
        f"left join ({told}) t on t.source = s.contact_source and t.source_key = s.contact_key where s.op = 'open'"
    )
    return f"{judged} union all by name {gone}"


def _rules(workspace: Workspace) -> str:
    """Return a digest of the rules that judge a point: the deployment's and this package's code."""
    digest = hashlib.sha256(workspace.catalog.contact_rules.model_dump_json().encode())
    for path in (Path(__file__), Path(__file__).with_name("incidents.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _today(workspace: Workspace) -> str:
    return f"date '{workspace.run_at.date().isoformat()}'"


def _due_on(con: duckdb.DuckDBPyConnection, workspace: Workspace) -> str | None:
    """Return the next day on which a period begins or ends, so that some point changes with no new record."""
    today = _today(workspace)
    found = con.execute(
        "select min(day) from ("
        f"select valid_from as day from {ADDRESSES} where valid_from > {today} and {_SOME_ADDRESS} union all "
        f"select valid_to + 1 from {ADDRESSES} where valid_to >= {today} and {_SOME_ADDRESS} union all "
        f"select moves_on from {MOVES} where moves_on > {today} and {_SOME_ADDRESS})"
    ).fetchall()[0][0]
    return None if found is None else str(found)[:10]


def _report(con: duckdb.DuckDBPyConnection, totals: dict[str, Any] | None) -> PointsReport:
    """Count what changed, and bring the totals up to it; from nothing where there are none."""
    changes = dict(con.execute("select change, count(*) from dd_changes group by all order by all").fetchall())
    looked = int(con.execute("select count(*) from dd_points").fetchall()[0][0])
    columns = "select kind, op, usable from"
    now = f"{columns} dd_changes union all {columns} dd_state anti join dd_changes using (point_id)"
    then = f"{columns} dd_state {'where false' if totals is None else ''}"
    counted = con.execute(
        f"select kind, sum(n), sum(u) from (select kind, 1 as n, usable::int as u from ({now}) where op = 'open' "
        f"union all select kind, -1, -usable::int from ({then}) where op = 'open') group by kind"
    ).fetchall()
    usable = dict((totals or {}).get("usable", {}))
    for kind, _, change in counted:
        usable[kind] = usable.get(kind, 0) + int(change)
    points = int((totals or {}).get("points", 0)) + sum(int(change) for _, change, _ in counted)
    return PointsReport(points, looked, changes, dict(sorted(usable.items())))
