"""What happened to contact points: returned letters, bounced e-mails, moves, and when they make a point unusable.

A return counts toward the address that was on the letter; where it is not printed, toward the contact's own address at
that day. Returns of one mailing count once, a delivery starts the count anew, and so does a new address, since it is
another point. A bounce is a fact about the mailbox: it holds for every record that names it.
"""

from __future__ import annotations

import re
import unicodedata

import duckdb
import polars as pl

from datadock.catalog.model import ContactRules
from datadock.contact_points.kinds import ADDRESS, ADDRESS_PARTS, EMAIL, latest_forms, told_values, value_id
from datadock.contact_points.touched import EVENTS, MOVES
from datadock.identity.workspace import Workspace
from datadock.quality.reference.manifest import MOTIVES, read_table

_HARD = "^(hard|permanent|5)"
_DECEASED = "DCD"


def create_incidents(con: duckdb.DuckDBPyConnection, workspace: Workspace) -> None:
    """Create what happened to the points of ``dd_points``.

    Args:
        con: Connection with the warehouse attached and ``dd_points`` (point_id, contact, kind, field, value_id,
            normal_form, since, since_known).
        workspace: The run's workspace, for its rules and its day.

    Creates:
        ``dd_incidents``: point_id, incidents (counted toward invalidity), reason (null while usable), reached_at.
        ``dd_left``: point_id, left_at of the addresses that a due move left.
    """
    rules = workspace.catalog.contact_rules
    con.register("dd_motives", _motives(rules).to_arrow())
    _letters(con, workspace)
    _returns(con, rules)
    _mailboxes(con, workspace)
    _bounces(con, rules)
    con.execute("create or replace temp table dd_incidents as from dd_returns union all by name from dd_bounces")
    _moves(con, workspace)


def _motives(rules: ContactRules) -> pl.DataFrame:
    """Motives as codes and as labels, folded, with whether they count; a deployment's own go first."""
    known = {}
    for row in read_table(MOTIVES):
        for word in (row["code"], row["motif"]):
            known[_motive(word)] = (row["code"], row["compte"] == "1")
    own = {_motive(word): (_motive(word), counts) for word, counts in rules.returns.counts.items()}
    rows = [(word, code, counts) for word, (code, counts) in (known | own).items()]
    return pl.DataFrame(rows, schema=["motive", "code", "counts"], orient="row")


def _motive(word: str) -> str:
    """Write a motive as ``_letters`` writes those of the events: capitals, without accents or signs."""
    plain = unicodedata.normalize("NFKD", word).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Z0-9_]+", " ", plain.upper()).strip()


def _letters(con: duckdb.DuckDBPyConnection, workspace: Workspace) -> None:
    """Create ``dd_letters``: each returned or delivered letter with the one point that it concerns."""
    printed = f"coalesce({', '.join(ADDRESS_PARTS[:4])}) is not null"
    con.execute(
        "create or replace temp table dd_sent as "
        "select row_number() over () as letter, contact_source, contact_key, event_type, happened_at, "
        "coalesce(mailing, strftime(happened_at, '%Y-%m-%d')) as mailing, "
        "trim(regexp_replace(upper(strip_accents(subject)), '[^A-Z0-9_]+', ' ', 'g')) as motive, "
        f"case when {printed} then {value_id(*ADDRESS_PARTS)} end as value_id from {EVENTS} "
        "semi join (from dd_points where kind = 'address') using (contact_source, contact_key) "
        "where event_type in ('postal_return', 'postal_delivery') and happened_at is not null"
    )
    con.execute(
        "create or replace temp table dd_letters as with letters as ("
        "select l.* exclude (value_id), case when value_id is not null then coalesce(f.normal_form, '?') end "
        f"as printed_form from dd_sent l left join ({latest_forms(workspace, ADDRESS, 'dd_sent')}) f using (value_id)) "
        "select l.*, p.point_id from letters l join dd_points p on p.kind = 'address' "
        "and p.contact_source = l.contact_source and p.contact_key = l.contact_key and case "
        "when l.printed_form is not null then p.normal_form = l.printed_form "
        "else p.field in ('address', 'address_move') and (p.since <= l.happened_at or not p.since_known) end "
        "qualify row_number() over (partition by l.letter order by p.since desc, p.field, p.point_id) = 1"
    )


def _returns(con: duckdb.DuckDBPyConnection, rules: ContactRules) -> None:
    con.execute(
        "create or replace temp table dd_returns as with delivered as ("
        "select point_id, max(happened_at) as came_at from dd_letters where event_type = 'postal_delivery' "
        "group by all), "
        "back as (select l.*, m.code, coalesce(m.counts, false) as counts from dd_letters l "
        "left join dd_motives m using (motive) left join delivered d using (point_id) "
        "where event_type = 'postal_return' and (d.came_at is null or l.happened_at > d.came_at)), "
        "mailings as (select point_id, mailing, min(happened_at) as came_at from back where counts group by all), "
        "numbered as (select *, row_number() over (partition by point_id order by came_at, mailing) as n "
        "from mailings), "
        "counted as (select point_id, count(*) as incidents, "
        f"min(came_at) filter (n = {rules.returns.invalid_after}) as reached_at from numbered group by all), "
        f"deceased as (select point_id, min(happened_at) as came_at from back where code = '{_DECEASED}' group by all) "
        "select point_id, coalesce(c.incidents, 0) as incidents, case when d.came_at is not null then 'DECES' "
        "when c.reached_at is not null then 'RETOURS' end as reason, coalesce(d.came_at, c.reached_at) as reached_at "
        "from counted c full join deceased d using (point_id)"
    )


def _mailboxes(con: duckdb.DuckDBPyConnection, workspace: Workspace) -> None:
    """Create ``dd_mails``: each bounce or delivery with the mailboxes that it concerns.

    One that names no mailbox concerns all that its contact says, whoever else says them.
    """
    told = told_values(workspace.catalog, EMAIL.name)
    con.execute(
        "create or replace temp table dd_sent_mails as with mails as ("
        "select event_type, happened_at, subject, contact_source, contact_key, contact_point "
        f"from {EVENTS} where event_type in ('bounce', 'delivery') and happened_at is not null) "
        f"select event_type, happened_at, subject, {value_id('contact_point')} as value_id from mails "
        "where contact_point is not null union all "
        f"select m.event_type, m.happened_at, m.subject, t.value_id from mails m join ({told}) t "
        "using (contact_source, contact_key) where m.contact_point is null"
    )
    con.execute(
        "create or replace temp table dd_mails as select f.normal_form, m.event_type, m.happened_at, m.subject "
        f"from dd_sent_mails m join ({latest_forms(workspace, EMAIL, 'dd_sent_mails')}) f using (value_id)"
    )


def _bounces(con: duckdb.DuckDBPyConnection, rules: ContactRules) -> None:
    window = rules.bounces.soft_window_days
    con.execute(
        "create or replace temp table dd_bounces as with delivered as ("
        "select normal_form, max(happened_at) as came_at from dd_mails where event_type = 'delivery' group by all), "
        f"back as (select b.*, regexp_matches(lower(coalesce(subject, '')), '{_HARD}') as hard from dd_mails b "
        "left join delivered d using (normal_form) "
        "where event_type = 'bounce' and (d.came_at is null or b.happened_at > d.came_at)), "
        "soft as (select *, count(*) over (partition by normal_form order by happened_at "
        f"range between interval {window} days preceding and current row) as n from back where not hard), "
        "boxes as (select normal_form, count(*) as incidents, min(happened_at) filter (hard) as hard_at from back "
        "group by all), full_soft as (select normal_form, min(happened_at) as soft_at from soft "
        f"where n >= {rules.bounces.soft_invalid_after} group by all) "
        "select point_id, incidents, case when hard_at is not null then 'REBOND_DUR' when soft_at is not null "
        "then 'REBONDS' end as reason, coalesce(hard_at, soft_at) as reached_at from boxes "
        "left join full_soft using (normal_form) join (from dd_points where kind = 'email') using (normal_form)"
    )


def _moves(con: duckdb.DuckDBPyConnection, workspace: Workspace) -> None:
    day = workspace.run_at.date().isoformat()
    old = [f"old_{name}" for name in ADDRESS_PARTS]
    stated = f"coalesce({', '.join(old[:4])}) is not null"
    con.execute(
        f"create or replace temp table dd_due as select *, case when {stated} then {value_id(*old)} end as value_id "
        f"from {MOVES} semi join (from dd_points where kind = 'address') using (contact_source, contact_key) "
        f"where moves_on <= date '{day}'"
    )
    con.execute(
        "create or replace temp table dd_left as with moves as (select m.*, case when m.value_id is not null "
        "then coalesce(f.normal_form, '?') end as old_form from dd_due m "
        f"left join ({latest_forms(workspace, ADDRESS, 'dd_due')}) f using (value_id)) "
        "select p.point_id, min(m.moves_on::timestamptz) as left_at from moves m join dd_points p "
        "on p.kind = 'address' and p.contact_source = m.contact_source and p.contact_key = m.contact_key "
        "and (p.source, p.source_key) <> (m.source, m.source_key) "
        "and (p.since < m.moves_on::timestamptz or not p.since_known) "
        "and case when old_form is not null then p.normal_form = old_form "
        "else p.field in ('address', 'address_move') end group by all"
    )
