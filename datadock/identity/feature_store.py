"""Features kept in the lake, by difference: only contacts that are new or changed are normalised.

``golden/features`` is a log; the current row of a record is the one of the highest generation.
``generation`` moves when anything of the contact moved, ``linked`` only when a feature did.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass

import duckdb

from datadock import names
from datadock.identity.features import Features, build_features, linking_fields
from datadock.identity.model import FORM
from datadock.identity.normal_values import declared_fields
from datadock.identity.workspace import CONTACTS, FEATURES, Workspace, latest_of, latest_rows
from datadock.lake import Lake
from datadock.warehouse.arrived import BATCHES, arrived_batches, staged

VALUE_KINDS = ("address", "phone", "email", "name")
"""Kinds of values whose normal forms features are taken from."""

_KEYS = ("source", "source_key")
_LINEAGE = ("_batch_id", "_file", "_line", "_received_at")
_STATE = {
    "source": "varchar", "source_key": "varchar", "party_type": "varchar", "op": "varchar", "content_hash": "bigint",
    "feature_hash": "varchar", "generation": "bigint", "linked": "bigint",
}  # fmt: skip
_OWN = (
    "source",
    "source_key",
    "party_type",
    "op",
    "content_hash",
    "feature_hash",
    "received_at",
    "generation",
    "linked",
)


@dataclass(frozen=True)
class FeaturesReport:
    """What changed among the source contacts.

    Attributes:
        contacts: Source contacts now.
        new_or_changed: Records normalised in this run.
        removed: Records that are no longer there.
        generation: Generation of the store after this run.
    """

    contacts: int
    new_or_changed: int
    removed: int
    generation: int


def feature_spec(workspace: Workspace) -> str:
    """Digest of what features mean: the declared fields with their kinds, and the form of the code."""
    text = json.dumps([FORM, linking_fields(workspace.catalog), VALUE_KINDS])
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def update_features(workspace: Workspace, forms: Collection[str] = VALUE_KINDS) -> FeaturesReport:
    """Bring the feature store up to the warehouse's contacts.

    Args:
        workspace: The run's workspace; the warehouse must hold ``intermediate.int_source_contact``.
        forms: Kinds of normalised values that features are taken from; the macros read what is left.

    Returns:
        Counts. Nothing is written when nothing changed.

    Raises:
        WarehouseError: When the contacts cannot be read.
    """
    spec = feature_spec(workspace)
    stored = workspace.cursor(FEATURES)
    if stored.get("spec", spec) != spec:
        workspace.lake.drop([FEATURES])
        stored = {}
    # A store made anew has another name, so that nothing computed from the old one passes for current.
    store = stored.get("store", f"{workspace.run_id} {workspace.run_at.isoformat()}")
    with workspace.connection(with_contacts=True) as con:
        now = staged(con, ("contact",))
        partly = arrived_batches(con, workspace.lake, stored.get("staged"), now)
        _compare_with_store(con, workspace, partly=partly)
        if stored:
            _add_revalued(con, workspace, stored.get("values", {}))
        contacts, changed, removed = con.execute(
            f"select (select count(*) from {CONTACTS}), (select count(*) from dd_changed), "
            "(select count(*) from dd_removed)"
        ).fetchall()[0]
        generation = int(stored.get("generation", 0))
        if changed or removed or generation == 0:
            generation += 1
            _before_changed(con, workspace)
            features = build_features(
                con,
                _changed_contacts(),
                linking_fields(workspace.catalog),
                "dd_new_features",
                _values(workspace, forms),
            )
            rows = con.sql(_log_rows_sql(features, generation)).to_arrow_table()
            seen = {table: workspace.cursor(table).get("generation", 0) for table in names.VALUES}
            inputs = {"spec": spec, "store": store, "generation": generation, "values": seen, "staged": now}
            workspace.append(FEATURES, rows, inputs)
    return FeaturesReport(contacts, changed, removed, generation)


_STORES = {
    "address": names.ADDRESS_VALUES, "phone": names.PHONE_VALUES, "email": names.EMAIL_VALUES,
    "name": names.NAME_VALUES,
}  # fmt: skip


def stored_kinds(lake: Lake, forms: Collection[str] = VALUE_KINDS) -> list[str]:
    """Return those kinds of values that are stored: features are taken from their normal forms."""
    return [kind for kind, table in _STORES.items() if kind in forms and lake.files(table)]


def _values(workspace: Workspace, forms: Collection[str]) -> dict[str, str]:
    """Return queries of the latest normalised values, of those kinds that are stored."""
    return {kind: latest_rows(workspace, _STORES[kind], "value_id") for kind in stored_kinds(workspace.lake, forms)}


def _compare_with_store(con: duckdb.DuckDBPyConnection, workspace: Workspace, *, partly: bool) -> None:
    """Create ``dd_now``, ``dd_changed`` and ``dd_removed``; partly, only what came since can be any of them."""
    described = con.execute(f"describe {CONTACTS}").fetchall()
    content = ", ".join(f'"{row[0]}"' for row in described if row[0] not in (*_LINEAGE, "source", "source_key"))
    con.execute(
        f"create or replace temp {'view' if partly else 'table'} dd_now as "
        f"select source, source_key, (hash({content}) >> 1)::bigint as content_hash, _batch_id from {CONTACTS}"
    )
    stored = workspace.scan_or_empty(FEATURES, _STATE)
    arrived = "dd_now"
    if partly:
        arrived = "dd_arrived"
        con.execute(f"create or replace temp table dd_arrived as from dd_now where _batch_id in (from {BATCHES})")
        stored = f"(select * from {stored} semi join dd_arrived using (source, source_key))"
    con.execute(f"create or replace temp table dd_before as {latest_of(stored, *_KEYS)}")
    con.execute(
        f"create or replace temp table dd_changed as select source, source_key, content_hash from {arrived} "
        "anti join (from dd_before where op = 'upsert') using (source, source_key, content_hash)"
    )
    con.execute(
        "create or replace temp table dd_removed as from dd_before anti join dd_now using (source, source_key) "
        f"where op = 'upsert' and {not partly}"
    )


def _add_revalued(con: duckdb.DuckDBPyConnection, workspace: Workspace, seen: dict[str, int]) -> None:
    """Add to ``dd_changed`` the contacts whose value is read otherwise now: by a newer reference, or newer rules."""
    fields = linking_fields(workspace.catalog)
    for kind, table in zip(VALUE_KINDS, names.VALUES, strict=True):
        stored = workspace.scan(table)
        if stored is None or workspace.cursor(table).get("generation", 0) <= seen.get(table, 0):
            continue
        declared = declared_fields(kind, fields)
        texts = sorted({name for match in declared for name in match.values()})
        # A value that only came since is no other reading of an earlier one.
        con.execute(
            f"create or replace temp table dd_revalued as select {', '.join(f'any_value({t}) as {t}' for t in texts)} "
            f"from (from {stored} where generation > {int(seen.get(table, 0))}) n "
            f"where exists (select 1 from {stored} o where o.value_id = n.value_id and o.generation < n.generation) "
            "group by value_id"
        )
        for match in declared:
            on = " and ".join(f'c."{field}"::varchar is not distinct from r.{text}' for field, text in match.items())
            con.execute(
                "insert into dd_changed select source, source_key, content_hash from dd_now semi join ("
                f"select c.source, c.source_key from {CONTACTS} c semi join dd_revalued r on {on}) "
                "using (source, source_key) anti join dd_changed d using (source, source_key)"
            )


def _changed_contacts() -> str:
    return f"(select c.* from {CONTACTS} c semi join dd_changed using (source, source_key))"


def _before_changed(con: duckdb.DuckDBPyConnection, workspace: Workspace) -> None:
    """Make ``dd_before`` the state of the changed contacts, whichever way they came to be looked at."""
    stored = workspace.scan_or_empty(FEATURES, _STATE)
    con.execute(
        "create or replace temp table dd_before as "
        f"{latest_of(f'(select * from {stored} semi join dd_changed using (source, source_key))', *_KEYS)}"
    )


def _log_rows_sql(features: Features, generation: int) -> str:
    names = "".join(f", f.{name}" for name in features.columns)
    empties = "".join(f", null as {name}" for name in features.columns)
    return (
        "select f.source, f.source_key, f.party_type, 'upsert' as op, n.content_hash, f.feature_hash, "
        f"c._received_at as received_at, {generation}::bigint as generation, "
        "case when b.feature_hash = f.feature_hash and b.op = 'upsert' and b.party_type = f.party_type "
        f"then b.linked else {generation}::bigint end as linked{names} "
        f"from {features.table} f join dd_changed n using (source, source_key) "
        f"join (select source, source_key, _received_at from {CONTACTS}) c using (source, source_key) "
        "left join dd_before b using (source, source_key) union all by name "
        "select source, source_key, party_type, 'remove' as op, content_hash, feature_hash, null as received_at, "
        f"{generation}::bigint as generation, {generation}::bigint as linked{empties} from dd_removed"
    )


def load_records(
    con: duckdb.DuckDBPyConnection, workspace: Workspace, party: str, wanted: str | None = None
) -> Features:
    """Load who there is of one party type into a table ``dd_<party>``, without the features themselves.

    Args:
        con: Connection.
        workspace: The run's workspace.
        party: ``person`` or ``company``.
        wanted: Table with source and source_key of the records wanted; all of them by default.

    Returns:
        The table with rid 0..n-1 in order of (source, source_key), feature_hash, received_at, generation, linked.
    """
    table = f"dd_{party}"
    stored = workspace.scan_or_empty(FEATURES, {**_STATE, "received_at": "timestamptz"})
    some = f"(from {stored} semi join {wanted} using (source, source_key))" if wanted else stored
    con.execute(
        f"create or replace temp table {table} as select row_number() over (order by source, source_key) - 1 as rid, * "
        f"exclude (op) from ({latest_of(some, *_KEYS)}) where op = 'upsert' and party_type = '{party}' order by rid"
    )
    rows = int(con.execute(f"select count(*) from {table}").fetchall()[0][0])
    return Features(table, (), rows)


def count_records(con: duckdb.DuckDBPyConnection, workspace: Workspace, party: str) -> int:
    """Return how many records there are of a party type."""
    newest = latest_of(workspace.scan_or_empty(FEATURES, _STATE), *_KEYS)
    there = f"from ({newest}) where op = 'upsert' and party_type = '{party}'"
    return int(con.execute(f"select count(*) {there}").fetchall()[0][0])


def load_features(
    con: duckdb.DuckDBPyConnection, workspace: Workspace, records: Features, wanted: str | None = None
) -> Features:
    """Load the features of loaded records.

    Args:
        con: Connection.
        workspace: The run's workspace.
        records: As of ``load_records``.
        wanted: Table with the ``rid`` of the records wanted; all of them by default.

    Returns:
        A table with rid, source, source_key, feature_hash, generation, linked and the features.
    """
    stored = workspace.scan(FEATURES, "*")
    if stored is None:
        return records
    table = f"{records.table}_features"
    some = f"semi join {wanted} using (rid)" if wanted else ""
    con.execute(
        f"create or replace temp table {table} as select r.rid, s.* exclude (op) from {stored} s "
        f"join (select rid, source, source_key, generation from {records.table} {some}) r "
        "using (source, source_key, generation)"
    )
    return _described(con, table)


def load_since(con: duckdb.DuckDBPyConnection, workspace: Workspace, party: str, since: int) -> Features:
    """Load the records of one party type that changed after a generation, with their features.

    Only the rows that came since are read; the columns are those of ``load_features``, ``dd_<party>`` shows the same.
    """
    table = f"dd_{party}_features"
    stored = workspace.scan(FEATURES) or workspace.scan_or_empty(FEATURES, {**_STATE, "received_at": "timestamptz"})
    arrived = latest_of(f"(from {stored} where generation > {since})", *_KEYS)
    con.execute(
        f"create or replace temp table {table} as select row_number() over (order by source, source_key) - 1 as rid, * "
        f"exclude (op) from ({arrived}) where op = 'upsert' and party_type = '{party}' order by rid"
    )
    con.execute(f"create or replace temp view dd_{party} as from {table}")
    return _described(con, table)


def _described(con: duckdb.DuckDBPyConnection, table: str) -> Features:
    described = [row[0] for row in con.execute(f"describe {table}").fetchall()]
    known = tuple(name for name in described if name not in _OWN and name != "rid")
    rows = int(con.execute(f"select count(*) from {table}").fetchall()[0][0])
    return Features(table, known, rows)
