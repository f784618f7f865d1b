"""Households: people at one address who belong together, grouped without merging them, with ids that last.

Everything here is inferred and says why: who lives with whom from names and contact points, who is whose partner or
child from names and dates. The rules stand in ``household_rules``; nothing here decides who is who.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import duckdb
import polars as pl

from datadock import names
from datadock.identity.assignment import assign_ids
from datadock.identity.household_rules import FORM, PEOPLE, describe_members, find_households
from datadock.identity.ids import PREFIX, id_time
from datadock.identity.memberships import current_memberships, read_log
from datadock.identity.model import load_model
from datadock.identity.normalise import install_macros
from datadock.identity.workspace import FEATURES, Workspace, latest_of
from datadock.warehouse.lake_tables import TABLES

HOUSEHOLD_PREFIX = "HH"
"""Household ids are made like golden ids, and told from them by their first two letters."""

_SOURCE = "household"
_DERIVED = (12, 16)
"""Where the derived part of a golden id begins, after its prefix and its time, and its length, less the check."""

_KEYS = {"source": "varchar", "source_key": "varchar", "generation": "bigint"}
_TOLD_BY = {
    **dict.fromkeys(("family", "birth_name", "family_words", "sex", "house", "street", "postcode", "city"), "varchar"),
    **dict.fromkeys(("phones", "emails"), "varchar[]"),
}
"""What is read of the records of a person."""
_FLAT = r"\b(?:appt|appart|appartement|apt|app|porte|logt|logement|studio) ?([0-9]+[a-z]?|[a-z])\b"
_BLOCK = r"\b(?:bat|batiment|bt|esc|escalier|entree|tour|hall) ?([0-9]+[a-z]?|[a-z])\b"
_TOLD = ("household_id", "home", "reason", "role", "role_reason")


@dataclass(frozen=True)
class HouseholdsReport:
    """What became of the households.

    Attributes:
        changed: False where nothing was new and nothing was written.
        people: People in households.
        households: Households, those of one person among them.
        looked_at: People whose household was looked at again.
        moves: Rows told to the log.
    """

    changed: bool
    people: int
    households: int
    looked_at: int = 0
    moves: int = 0


def assign_households(workspace: Workspace) -> HouseholdsReport:
    """Bring households up to the golden contacts: only addresses that somebody came to, left or changed at.

    Args:
        workspace: The run's workspace; ``build_golden`` has run.
    """
    before = workspace.cursor(names.HOUSEHOLDS)
    features = workspace.cursor(FEATURES)
    version = workspace.lake.version(names.CONTACTS)
    inputs = {"contacts": version, "features": features, "form": FORM}
    with workspace.connection() as con:
        _load_log(con, workspace)
        if {key: before.get(key) for key in inputs} == inputs or version < 0:
            return HouseholdsReport(False, *_counts(con))
        last = _changed_contacts(con, workspace, before, features)
        looked_at = _people_of_touched_homes(con, workspace)
        generation = 1 + int(con.execute("select coalesce(max(generation), 0) from dd_log").fetchall()[0][0])
        rows = _difference(con, workspace, generation)
        workspace.append(names.HOUSEHOLDS, rows.to_arrow(), {**inputs, "until": last})
        _load_log(con, workspace)
        return HouseholdsReport(True, *_counts(con), looked_at=looked_at, moves=rows.height)


def _load_log(con: duckdb.DuckDBPyConnection, workspace: Workspace) -> None:
    """Create ``dd_log`` (the whole log) and ``dd_housed`` (who is in which household now)."""
    stored = workspace.scan_or_empty(names.HOUSEHOLDS, TABLES[names.HOUSEHOLDS])
    con.execute(f"create or replace temp table dd_log as from {stored}")
    con.execute(f"create or replace temp table dd_housed as {latest_of('dd_log', 'golden_id')}")
    con.execute("delete from dd_housed where op <> 'upsert'")


def _counts(con: duckdb.DuckDBPyConnection) -> tuple[int, int]:
    people, households = con.execute("select count(*), count(distinct household_id) from dd_housed").fetchall()[0]
    return int(people), int(households)


def _changed_contacts(
    con: duckdb.DuckDBPyConnection, workspace: Workspace, before: dict[str, Any], features: dict[str, Any]
) -> str:
    """Create ``dd_contacts``, ``dd_records`` and ``dd_changed``: people, their records, those whose own moved since.

    Returns:
        The moment of the latest change of a golden contact.
    """
    stored = workspace.scan(names.CONTACTS)
    con.execute(
        "create or replace temp table dd_contacts as select golden_id, op, party_type, birth_date, "
        "concat_ws(' ', address_extra, address_line) as address, recorded_at, "
        f"list_filter(provenance, lambda p: p.field = 'address_line')[1] as won "
        f"from ({latest_of(str(stored), 'golden_id', by='recorded_at')})"
    )
    members = current_memberships(read_log(workspace)).drop_nulls("golden_id").to_arrow()
    con.register("dd_members_now", members)
    con.execute("create or replace temp table dd_records as from dd_members_now")
    con.unregister("dd_members_now")
    same_store = all(before.get("features", {}).get(key) == features.get(key) for key in ("store", "spec"))
    if not before or before.get("form") != FORM or not same_store:
        con.execute("create or replace temp table dd_changed as select golden_id from dd_contacts")
    else:
        moved = f"(select source, source_key from {workspace.scan(FEATURES)} where generation > $1)"
        con.execute(
            "create or replace temp table dd_changed as select golden_id from dd_contacts "
            "where recorded_at > $2::timestamptz "
            f"union select golden_id from dd_records semi join {moved} using (source, source_key)",
            [int(before["features"]["generation"]), before["until"]],
        )
    last = con.execute("select max(recorded_at)::varchar from dd_contacts").fetchall()[0][0]
    con.execute(
        "create or replace temp table dd_firms as select golden_id from dd_contacts where party_type = 'company'"
    )
    con.execute("delete from dd_contacts where op <> 'upsert' or party_type <> 'person'")
    return str(last)


def _people_of_touched_homes(con: duckdb.DuckDBPyConnection, workspace: Workspace) -> int:
    """Create ``PEOPLE``: everybody at an address that a changed contact has now or had before."""
    install_macros(con)
    _tell(con, workspace, "dd_firms", "dd_told_of_firms")
    _read(con, workspace, "dd_changed", "dd_new")
    con.execute(
        "create or replace temp table dd_neighbours as select golden_id from dd_housed h semi join "
        "(select home from dd_new union select home from dd_housed semi join dd_changed using (golden_id)) t "
        "on h.home = t.home anti join dd_changed using (golden_id)"
    )
    _read(con, workspace, "dd_neighbours", "dd_old")
    con.execute(f"create or replace temp table {PEOPLE} as from dd_new union all by name from dd_old")
    return int(con.execute(f"select count(*) from {PEOPLE}").fetchall()[0][0])


def _tell(con: duckdb.DuckDBPyConnection, workspace: Workspace, wanted: str, target: str) -> None:
    """Create the table of what the records of the wanted contacts tell now."""
    stored = workspace.scan(FEATURES) or workspace.scan_or_empty(FEATURES, _KEYS)
    described = {row[0] for row in con.execute(f"describe from {stored}").fetchall()}
    told = ", ".join(name if name in described else f"null::{kind} as {name}" for name, kind in _TOLD_BY.items())
    own = f"(from dd_records semi join {wanted} using (golden_id))"
    theirs = f"(select source, source_key, generation, {told} from {stored} semi join {own} using (source, source_key))"
    con.execute(
        f"create or replace temp table {target} as select golden_id, n.* exclude (generation) "
        f"from ({latest_of(theirs, 'source', 'source_key')}) n join {own} using (source, source_key)"
    )


def _points(con: duckdb.DuckDBPyConnection, workspace: Workspace) -> None:
    """Create ``dd_points``: phones and e-mails of each person, but for those of companies and of very many people."""
    model = load_model(workspace.model_folder, "person")
    shared = [value for values in (model.shared.values() if model is not None else ()) for value in values]
    each = " union all ".join(f"select golden_id, unnest({kind}) as point from {{}}" for kind in ("phones", "emails"))
    firms = f"select point from ({each.format('dd_told_of_firms', 'dd_told_of_firms')})"
    con.execute(
        "create or replace temp table dd_points as select golden_id, list_sort(list_distinct(list(point))) as points "
        f"from ({each.format('dd_told', 'dd_told')}) where not list_contains($1::varchar[], point) "
        f"and point not in ({firms}) group by golden_id",
        [shared],
    )


def _surnames(con: duckdb.DuckDBPyConnection) -> None:
    """Create ``dd_surnames``: every family name that the records of a person tell, parts of double names among them."""
    con.execute(
        "create or replace temp table dd_surnames as select golden_id, "
        "case sign(count(*) filter (sex = 'm') - count(*) filter (sex = 'f')) when 1 then 'm' when -1 then 'f' end "
        "as sex, "
        "list_sort(list_distinct(list_filter(flatten(list(list_concat([family, birth_name], "
        "list_filter(coalesce(string_split(family_words, ' '), []), lambda w: length(w) > 3)))), "
        "lambda n: n is not null))) as surnames from dd_told group by golden_id"
    )


def _read(con: duckdb.DuckDBPyConnection, workspace: Workspace, wanted: str, target: str) -> None:
    """Create the table of what the rules look at, of the wanted people who have an address with a house number."""
    _tell(con, workspace, wanted, "dd_told")
    _points(con, workspace)
    _surnames(con)
    con.execute(
        f"create or replace temp table {target} as select c.golden_id, "
        "concat_ws('|', coalesce(postcode, ''), case when postcode is null then city end, street, house) as home, "
        "coalesce(n.surnames, []) as surnames, n.sex, strftime(c.birth_date::date, '%Y%m%d') as birth_date, "
        f"nullif(regexp_extract(dd_plain(c.address), '{_FLAT}', 1), '') as flat, "
        f"nullif(regexp_extract(dd_plain(c.address), '{_BLOCK}', 1), '') as block, "
        f"coalesce(p.points, []) as points from dd_contacts c semi join {wanted} using (golden_id) "
        "join dd_told f on f.source = c.won.source and f.source_key = c.won.source_key "
        "left join dd_surnames n on n.golden_id = c.golden_id left join dd_points p on p.golden_id = c.golden_id "
        "where street is not null and house is not null and coalesce(postcode, city) is not null"
    )


def _difference(con: duckdb.DuckDBPyConnection, workspace: Workspace, generation: int) -> pl.DataFrame:
    """The rows by which the log differs from the households as they are now."""
    found = find_households(con)
    named = _named(con, workspace, found)
    con.register("dd_named", named.select("golden_id", "household_id", "reason").to_arrow())
    describe_members(con, "dd_named", "dd_members")
    told, nothing = ", ".join(f"m.{name}" for name in _TOLD), ", ".join(f"null as {name}" for name in _TOLD)
    same = " and ".join(f"h.{name} is not distinct from m.{name}" for name in _TOLD)
    at = workspace.run_at.isoformat()
    tail = f"{generation}::bigint as generation, '{workspace.run_id}' as run_id, '{at}'::timestamptz as recorded_at"
    left = "dd_housed semi join dd_changed using (golden_id) anti join dd_members using (golden_id)"
    rows: pl.DataFrame = con.sql(
        f"select m.golden_id, 'upsert' as op, {told}, {tail} from dd_members m "
        f"left join dd_housed h on h.golden_id = m.golden_id and {same} where h.golden_id is null "
        f"union all select golden_id, 'retire', {nothing}, {tail} from (select golden_id from {left}) order by 1"
    ).pl()
    con.unregister("dd_named")
    return rows


def _named(con: duckdb.DuckDBPyConnection, workspace: Workspace, found: pl.DataFrame) -> pl.DataFrame:
    """Give every household its id: that which most of its people bore, of equals where they bore it; else a new one."""
    before = con.sql("select golden_id, household_id as previous, home as previous_home from dd_housed").pl()
    placed = found.join(before, on="golden_id", how="left").with_columns(
        stayed=(pl.col("home") == pl.col("previous_home")).fill_null(value=False)
    )
    # Ids sort by their time: the first of a household has the earliest.
    stayed = placed.group_by("cluster").agg(stays=pl.col("stayed").any(), first=pl.col("golden_id").min())
    stayed = stayed.with_columns(since=pl.col("first").map_elements(id_time, return_dtype=pl.Datetime("us", "UTC")))
    records = placed.join(stayed, on="cluster").select(
        source=pl.lit(_SOURCE),
        # The derived part alone: the same people are one household under the same id whenever they arrived.
        source_key=pl.col("golden_id").str.slice(*_DERIVED),
        person="golden_id",
        received_at="since",
        # Of clusters with an equal claim to an id, those who stayed at the address come first.
        cluster=pl.when("stays").then(pl.lit("0")).otherwise(pl.lit("1")) + pl.col("cluster"),
        previous=_with_prefix("previous", PREFIX),
    )
    none = pl.DataFrame(schema={"source": pl.String, "source_key": pl.String, "golden_id": pl.String})
    assigned = assign_ids(records, none, workspace.id_secret, lambda fresh: _ever_used(con, fresh))
    ids = assigned.select(golden_id="person", household_id=_with_prefix("golden_id", HOUSEHOLD_PREFIX))
    named: pl.DataFrame = found.join(ids, on="golden_id")
    return named


def _ever_used(con: duckdb.DuckDBPyConnection, ids: pl.Series) -> pl.Series:
    """Those of some ids that were ever given to a household; in the form of golden ids."""
    con.register("dd_fresh", pl.DataFrame({"id": ids}).select(_with_prefix("id", HOUSEHOLD_PREFIX)).to_arrow())
    used = con.sql("select distinct id from dd_fresh semi join dd_log on household_id = id").pl()
    con.unregister("dd_fresh")
    found: pl.Series = used.select(_with_prefix("id", PREFIX))["id"]
    return found


def _with_prefix(column: str, prefix: str) -> pl.Expr:
    return (pl.lit(prefix) + pl.col(column).str.slice(len(prefix))).alias(column)
