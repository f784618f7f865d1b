"""Which contacts' points are looked at again: those that something came of, or happened to, since the last time.

Narrow scans of keys find them, so that a run costs what changed; the points themselves are judged in ``points``.
"""

from __future__ import annotations

from typing import Any

import duckdb

from datadock import names
from datadock.contact_points.kinds import ADDRESS, EMAIL, PHONE, latest_forms, told_values, value_id
from datadock.identity.workspace import CONTACTS, Workspace
from datadock.warehouse.arrived import BATCHES, arrived_batches
from datadock.warehouse.lake_tables import TABLES

CONTACT = ("contact_source", "contact_key")
"""What names a contact in the rows of others."""

TOUCHED = "dd_looked"
"""Temp table: contact_source, contact_key of the contacts whose points are looked at again."""

ADDRESSES = "warehouse.intermediate.int_contact_address"
EVENTS = "warehouse.intermediate.int_event"
MOVES = "warehouse.intermediate.int_move"

_KEYS = ("point_id", "source", "source_key", "contact_source", "contact_key", "kind", "value_id", "normal_form",
         "incidents", "generation")  # fmt: skip


def find_touched(
    con: duckdb.DuckDBPyConnection, workspace: Workspace, before: dict[str, Any], inputs: dict[str, Any]
) -> bool:
    """Create ``dd_looked``, the contacts whose points are looked at again.

    Args:
        con: Connection with the warehouse attached.
        workspace: The run's workspace.
        before: What the last change of the log recorded of its inputs.
        inputs: What this run would record.

    Returns:
        False where all contacts are: the first time, under other rules, or where it cannot be told what is new.
    """
    known = before.get("rules") == inputs["rules"] and "day" in before and "totals" in before
    if not (arrived_batches(con, workspace.lake, before.get("staged"), inputs["staged"]) and known):
        return False
    stored = workspace.scan_or_empty(names.CONTACT_POINTS, {name: TABLES[names.CONTACT_POINTS][name] for name in _KEYS})
    con.execute(f"create or replace temp view dd_point_keys as from {stored}")
    parts = [*_arrived(), *_revalued(workspace, before), *_mailboxes(con, workspace), *_periods(before, inputs)]
    # An event that now names another contact, or is told no more, was counted somewhere.
    parts.append("select contact_source, contact_key from dd_point_keys where incidents > 0")
    con.execute(f"create or replace temp table {TOUCHED} as {' union '.join(parts)}")
    return True


def _arrived() -> list[str]:
    """Contacts of the rows that came, and of the points that an earlier version of such a row said."""
    new = f"where _batch_id in (from {BATCHES})"
    linked = (ADDRESSES, EVENTS, MOVES)
    told = " union ".join(f"select source, source_key from {table} {new}" for table in (ADDRESSES, MOVES))
    return [
        f"select source as contact_source, source_key as contact_key from {CONTACTS} {new}",
        *(f"select contact_source, contact_key from {table} {new}" for table in linked),
        f"select contact_source, contact_key from dd_point_keys semi join ({told}) using (source, source_key)",
    ]


def _revalued(workspace: Workspace, before: dict[str, Any]) -> list[str]:
    """Contacts with a value that is read otherwise now: by a newer reference, or newer rules."""
    seen = before.get("values", {})
    parts = []
    for kind in (ADDRESS, PHONE, EMAIL):
        generation = int(seen.get(kind.name, 0))
        if workspace.cursor(kind.table).get("generation", 0) > generation:
            stored = workspace.scan(kind.table, "value_id, generation")
            parts.append(
                f"select contact_source, contact_key from dd_point_keys semi join (select value_id from {stored} "
                f"where generation > {generation}) using (value_id) where kind = '{kind.name}'"
            )
    return parts


def _mailboxes(con: duckdb.DuckDBPyConnection, workspace: Workspace) -> list[str]:
    """Contacts with a mailbox that a bounce or a delivery came of: it is a fact about the mailbox, whoever names it."""
    con.execute(
        f"create or replace temp table dd_mail_events as select {value_id('contact_point')} as value_id, "
        f"contact_point, contact_source, contact_key from {EVENTS} where event_type in ('bounce', 'delivery') "
        f"and _batch_id in (from {BATCHES})"
    )
    if not con.execute("select count(*) from dd_mail_events").fetchall()[0][0]:
        return []
    own = (
        f"select t.value_id from ({told_values(workspace.catalog, EMAIL.name)}) t "
        "join dd_mail_events e using (contact_source, contact_key) where e.contact_point is null"
    )
    con.execute(
        "create or replace temp table dd_mail_values as "
        f"select value_id from dd_mail_events where contact_point is not null union {own}"
    )
    forms = f"select normal_form from ({latest_forms(workspace, EMAIL, 'dd_mail_values')})"
    return [
        f"select contact_source, contact_key from dd_point_keys semi join ({forms}) using (normal_form) "
        "where kind = 'email'"
    ]


def _periods(before: dict[str, Any], inputs: dict[str, Any]) -> list[str]:
    """Contacts of which a period began or ended since the points were last looked at."""
    then, now = f"date '{before['day']}'", f"date '{inputs['day']}'"
    began = "{0} > " + then + " and {0} <= " + now
    ended = f"valid_to >= {then} and valid_to < {now}"
    return [
        f"select contact_source, contact_key from {ADDRESSES} where ({began.format('valid_from')}) or ({ended})",
        f"select contact_source, contact_key from {MOVES} where {began.format('moves_on')}",
    ]
