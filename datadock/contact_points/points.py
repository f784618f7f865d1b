"""Which record says which contact point, since when, and what may be done with it: a log in the lake.

A contact point is one value in one field of one source record. It opens when the record first says it, closes when
the record says another, and changes its state by what is known of its value and by what happened to it: returned
letters, bounces, moves. A run looks again only at points that moved and at those that something happened to; each row
of the log is one change, which is also the event that others hear.
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
from datadock.contact_points.kinds import ADDRESS, ADDRESS_PARTS, EMAIL, KINDS, PHONE, contact_fields, value_id
from datadock.identity.workspace import Workspace, latest_rows
from datadock.warehouse.lake_tables import TABLES

LOG = TABLES[names.CONTACT_POINTS]
"""Columns of the log of contact points, with their DuckDB types."""

_CONTACTS = "warehouse.intermediate.int_source_contact"
_JUDGED = ("normal_form", "type", "status", "usable", "reason", "incidents", "until")
_NORMAL = {
    ADDRESS.name: "concat_ws(', ', nullif(line_4, ''), nullif(line_5, ''), nullif(line_6, ''), nullif(line_7, ''))",
    PHONE.name: "coalesce(value, proposal)",
    EMAIL.name: "case when status = 'A_CONFIRMER' then coalesce(typed, value) else value end",
}
_DOUBTED = "p.status = 'A_CONFIRMER' and not (p.kind = 'email' and p.codes = ['ADRESSE_DE_FONCTION'])"
"""A doubt blocks, but that a mailbox is a function's: it may be what a company gave to be written to."""
_TYPE = {ADDRESS.name: "case when bp <> '' then 'boite' when voie <> '' then 'voie' else '' end"}


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
    seen = {kind.name: workspace.cursor(kind.table).get("generation", 0) for kind in KINDS}
    with workspace.connection(with_contacts=True) as con:
        con.execute(f"create or replace temp table dd_now as {_now(workspace.catalog)}")
        _load_state(con, workspace)
        _find_dirty(con, workspace, before)
        create_incidents(con, workspace)
        _judge(con, workspace)
        con.execute(f"create or replace temp table dd_changes as {_changes(workspace, generation)}")
        report = _report(con)
        inputs: dict[str, Any] = {"values": seen, "due_on": _due_on(con, workspace), "rules": _rules(workspace)}
        if report.changes or any(before.get(name) != value for name, value in inputs.items()):
            inputs["generation"] = generation
            rows = con.sql(f"select {', '.join(LOG)} from dd_changes order by kind, source, source_key")
            workspace.append(names.CONTACT_POINTS, rows.to_arrow_table(), inputs)
    return report


def _now(catalog: Catalog) -> str:
    """SQL of every contact point that the warehouse's records say now."""
    own = "source, source_key, source as contact_source, source_key as contact_key"
    told = "coalesce(record_updated_at, _received_at) as told_at, record_updated_at is not null as is_told"
    no_period = "null::date as starts, null::date as ends"
    parts = [
        f"select {own}, '{kind}' as kind, '{name}' as field, {value_id(_text(name))} as value_id, "
        f"{_text(name)} as value, {told}, {no_period} from {_CONTACTS} where {_text(name)} is not null"
        for kind in (EMAIL.name, PHONE.name)
        for name in contact_fields(catalog, kind)
    ]
    linked = "source, source_key, contact_source, contact_key"
    address = f"{value_id(*ADDRESS_PARTS)} as value_id, {address_text()} as value, {told}"
    some = f"coalesce({', '.join(ADDRESS_PARTS[:4])}) is not null"
    parts += [
        f"select {own}, 'address' as kind, 'address' as field, {address}, {no_period} from {_CONTACTS} where {some}",
        f"select {linked}, 'address', 'address_' || coalesce(lower(address_type), 'other'), {address}, "
        f"valid_from, valid_to from warehouse.intermediate.int_contact_address where {some}",
        f"select {linked}, 'address', 'address_move', {address}, moves_on, null::date "
        f"from warehouse.intermediate.int_move where {some} and moves_on is not null",
    ]
    union = " union all ".join(parts)
    return f"select {value_id('source', 'source_key', 'field', 'value_id')} as point_id, * from ({union})"


def _text(field: str) -> str:
    return f'"{field}"::varchar'


def address_text(prefix: str = "") -> str:
    """Return SQL of an address as one text, as it was declared."""
    line, extra, postcode, city, country = (prefix + name for name in ADDRESS_PARTS)
    return f"concat_ws(', ', {extra}, {line}, nullif(concat_ws(' ', {postcode}, {city}), ''), {country})"


def _load_state(con: duckdb.DuckDBPyConnection, workspace: Workspace) -> None:
    log = latest_rows(workspace, names.CONTACT_POINTS, "point_id")
    con.execute(f"create or replace temp table dd_state as {log}")


def _find_dirty(con: duckdb.DuckDBPyConnection, workspace: Workspace, before: dict[str, Any]) -> None:
    """Create ``dd_dirty``: ids of the points to look at again; all of them under other rules."""
    today, seen = _today(workspace), before.get("values", {})
    parts = [
        "select point_id from dd_now anti join (from dd_state where op = 'open') using (point_id)",
        "select point_id from dd_now semi join (select contact_source, contact_key from "
        "warehouse.intermediate.int_event where event_type in ('postal_return', 'postal_delivery', 'bounce', "
        "'delivery') union select contact_source, contact_key from warehouse.intermediate.int_move) "
        "using (contact_source, contact_key)",
        "select point_id from dd_now"
        if before.get("rules") != _rules(workspace)
        else "select point_id from dd_state where op = 'open' and incidents > 0",
        # Periods that began or ended since the point was last looked at.
        f"select point_id from dd_now join dd_state using (point_id) where (ends < {today} and reason is distinct from "
        f"'PERIODE_FINIE') or (reason = 'PERIODE_FINIE' and coalesce(ends >= {today}, true)) "
        f"or (reason = 'ANNONCEE' and starts <= {today})",
    ]
    for kind in (ADDRESS, PHONE, EMAIL):
        stored = workspace.scan(kind.table, "value_id, generation")
        if stored is not None:
            parts.append(
                f"select point_id from dd_now semi join (select value_id from {stored} "
                f"where generation > {int(seen.get(kind.name, 0))}) using (value_id) where kind = '{kind.name}'"
            )
    mailboxes = (
        "select v.value_id from warehouse.intermediate.int_event e join dd_email_forms b on b.value_id = "
        f"{value_id('e.contact_point')} join dd_email_forms v on v.normal_form = b.normal_form "
        "where e.event_type in ('bounce', 'delivery')"
    )
    emails = workspace.scan(EMAIL.table, f"value_id, {_NORMAL['email']} as normal_form")
    empty = "(select null::varchar as value_id, null::varchar as normal_form where false)"
    con.execute(f"create or replace temp view dd_email_forms as from {emails or empty}")
    parts.append(f"select point_id from dd_now semi join ({mailboxes}) using (value_id) where kind = 'email'")
    con.execute(f"create or replace temp table dd_dirty as {' union '.join(parts)}")
    _value_forms(con, workspace)


def _value_forms(con: duckdb.DuckDBPyConnection, workspace: Workspace) -> None:
    """Create ``dd_points``: the dirty points of now with the normal form and status of their value."""
    forms = " union all by name ".join(
        f"select value_id, '{kind.name}' as kind, {_NORMAL[kind.name]} as normal_form, "
        f"{_TYPE.get(kind.name, 'type')} as type, status, codes from ({latest_rows(workspace, kind.table, 'value_id')})"
        for kind in (ADDRESS, PHONE, EMAIL)
    )
    con.execute(
        "create or replace temp table dd_points as "
        "with wanted as (select * from dd_now semi join dd_dirty using (point_id)), "
        f"forms as (select * from ({forms}) semi join wanted using (kind, value_id)), "
        # The first address that is known of a contact has no known beginning, unless its record says so.
        "earlier as (select contact_source, contact_key, kind from dd_state group by all) "
        "select w.*, f.* exclude (value_id, kind), "
        "coalesce(s.since, w.starts::timestamptz, least(w.told_at, w.ends::timestamptz)) as since, "
        "coalesce(s.since_known, w.starts is not null or (w.ends is null and (w.is_told or e.kind is not null))) "
        "as since_known "
        "from wanted w left join forms f using (kind, value_id) "
        "left join (from dd_state where op = 'open') s using (point_id) "
        "left join earlier e on e.contact_source = w.contact_source and e.contact_key = w.contact_key "
        "and e.kind = w.kind"
    )


def _judge(con: duckdb.DuckDBPyConnection, workspace: Workspace) -> None:
    """Create ``dd_judged``: each dirty point with its state; the first reason that holds is the one told."""
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
        f"from {_CONTACTS} group by all"
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
        f"select min(day) from (select starts as day from dd_now where starts > {today} "
        f"union all select ends + 1 from dd_now where ends >= {today})"
    ).fetchall()[0][0]
    return None if found is None else str(found)[:10]


def _report(con: duckdb.DuckDBPyConnection) -> PointsReport:
    points = int(con.execute("select count(*) from dd_now").fetchall()[0][0])
    looked = int(con.execute("select count(*) from dd_points").fetchall()[0][0])
    changes = dict(con.execute("select change, count(*) from dd_changes group by all order by all").fetchall())
    usable = dict(
        con.execute(
            "select kind, count(*) filter (usable) from ("
            "select kind, usable from dd_changes where op = 'open' union all "
            "select kind, usable from dd_state anti join dd_changes using (point_id) where op = 'open') "
            "group by all order by all"
        ).fetchall()
    )
    return PointsReport(points, looked, changes, usable)
