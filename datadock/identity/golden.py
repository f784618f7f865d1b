"""The golden contacts asset: values of every contact whose records moved, appended by difference."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from datadock import names
from datadock.catalog.fields import MODEL
from datadock.identity.golden_rows import golden_rows
from datadock.identity.memberships import current_memberships, read_log
from datadock.identity.survivorship import groups_of, survive
from datadock.identity.told import FIELD_TYPES, create_members, stored_points
from datadock.identity.workspace import FEATURES, Workspace


@dataclass(frozen=True)
class GoldenReport:
    """What became of the golden contacts.

    Attributes:
        changed: False where nothing was new and nothing was written.
        contacts: Source contacts.
        golden: Golden contacts now.
        recomputed: Golden contacts whose values were looked at again.
        upserted: Those whose row changed and was written.
        retired: Golden contacts that are no more.
        duplicates_within: Records that are not the first of their source in their golden contact.
        duplicates_between: Source records that share a golden contact with a record of another source.
    """

    changed: bool
    contacts: int
    golden: int
    recomputed: int = 0
    upserted: int = 0
    retired: int = 0
    duplicates_within: int = 0
    duplicates_between: int = 0


def build_golden(workspace: Workspace) -> GoldenReport:
    """Bring golden contacts up to memberships, source contacts and rules.

    Args:
        workspace: The run's workspace; ``assign_identities`` has run.
    """
    log = read_log(workspace)
    generation = int(log["generation"].max() or 0)  # type: ignore[arg-type]  # an integer column
    features = workspace.cursor(FEATURES)
    trust = {source.name: source.trust for source in workspace.catalog.sources.values()}
    rules = f"{workspace.catalog.survivorship.model_dump_json()}{sorted(trust.items())}"
    points = workspace.cursor(names.CONTACT_POINTS).get("generation", 0)
    inputs = {"memberships": generation, "features": features, "rules": rules, "points": points}
    before = workspace.cursor(names.CONTACTS)
    members = current_memberships(log).drop_nulls("golden_id")
    within, between = _duplicates(members)
    whole = {"contacts": members.height, "golden": members["golden_id"].n_unique(),
             "duplicates_within": within, "duplicates_between": between}  # fmt: skip
    if before == inputs:
        return GoldenReport(False, **whole)
    with workspace.connection(with_contacts=True) as con:
        con.register("dd_log", log.select("source", "source_key", "golden_id", "generation").to_arrow())
        con.register("dd_current", members.to_arrow())
        _touched(con, workspace, inputs, before)
        create_members(con, workspace)
        survive(con, "dd_touched_members", workspace.catalog.survivorship, trust)
        versions = _Versions(con, workspace)
        workspace.append(names.CONTACTS, versions.reader(), inputs)
    return GoldenReport(
        True, recomputed=versions.recomputed, upserted=versions.upserted, retired=versions.retired, **whole
    )


def _duplicates(members: pl.DataFrame) -> tuple[int, int]:
    by_source = members.group_by("golden_id", "source").agg(n=pl.len())
    shared = by_source.filter(pl.len().over("golden_id") > 1)
    return members.height - by_source.height, int(shared["n"].sum())


def _touched(
    con: duckdb.DuckDBPyConnection, workspace: Workspace, inputs: dict[str, Any], before: dict[str, Any]
) -> None:
    """Golden ids whose records moved or changed since the last run; all of them under other rules."""
    store = [inputs["rules"], inputs["features"].get("store"), inputs["features"].get("spec")]
    if not before or store != [before["rules"], before["features"].get("store"), before["features"].get("spec")]:
        con.execute(
            "create or replace temp table dd_touched as "
            "select distinct golden_id from dd_log where golden_id is not null"
        )
        return
    stored = workspace.scan(FEATURES, "source, source_key, generation")
    con.execute(
        "create or replace temp table dd_moved as "
        f"select source, source_key from dd_log where generation > {before['memberships']} union "
        f"select source, source_key from {stored} where generation > {before['features']['generation']} union "
        f"select contact_source, contact_key from {stored_points(workspace)} where generation > {before['points']}"
    )
    con.execute(
        "create or replace temp table dd_touched as select distinct golden_id from dd_log "
        "semi join dd_moved using (source, source_key) where golden_id is not null"
    )


class _Versions:
    """The new versions of golden contacts, as a stream; counted once it is read."""

    def __init__(self, con: duckdb.DuckDBPyConnection, workspace: Workspace) -> None:
        self.con, self.workspace = con, workspace
        self.groups = groups_of(workspace.catalog.survivorship)
        self.recomputed = self.upserted = self.retired = 0
        columns = {"golden_id": "varchar", "op": "varchar", "recorded_at": "timestamptz", "row_hash": "varchar"}
        con.execute(
            "create or replace temp table dd_stored as select golden_id, arg_max(op, recorded_at) as op, "
            "arg_max(row_hash, recorded_at) as row_hash "
            f"from {workspace.scan_or_empty(names.CONTACTS, columns)} semi join dd_touched using (golden_id) "
            "group by golden_id"
        )

    def reader(self) -> pa.RecordBatchReader:
        """Return the rows to append."""
        retired = self._gone()
        parts = chain(self._moved(retired.schema), [retired])
        return pa.RecordBatchReader.from_batches(retired.schema, (b for part in parts for b in part.to_batches()))

    def _moved(self, schema: pa.Schema) -> Iterator[pa.Table]:
        for part in golden_rows(self.con, self.groups):
            self.recomputed += part.num_rows
            self.con.register("dd_told", part.select(["golden_id", "row_hash"]))
            told = self.con.sql(
                "select coalesce(s.op = 'upsert' and s.row_hash = t.row_hash, false) as stands from dd_told t "
                "left join dd_stored s using (golden_id) order by golden_id"
            ).to_arrow_table()
            self.con.unregister("dd_told")
            rows = part.filter(pc.invert(told["stands"]))
            self.upserted += rows.num_rows
            for name, value in (("op", "upsert"), ("run_id", self.workspace.run_id)):
                rows = rows.append_column(name, pa.repeat(value, rows.num_rows))
            moment = pa.scalar(self.workspace.run_at, schema.field("recorded_at").type)
            rows = rows.append_column("recorded_at", pa.repeat(moment, rows.num_rows))
            yield rows.select(schema.names).cast(schema)

    def _gone(self) -> pa.Table:
        fields = ", ".join(f"null::{FIELD_TYPES[kind]} as {name}" for name, (_, kind) in MODEL["contact"].items())
        origin = "field varchar, source varchar, source_key varchar, rule varchar, observed_at timestamptz"
        gone = self.con.sql(
            f"select golden_id, 'retire' as op, '{self.workspace.run_at.isoformat()}'::timestamptz as recorded_at, "
            f"'{self.workspace.run_id}' as run_id, null::varchar as party_type, 0::bigint as n_records, "
            f"0::bigint as n_sources, {fields}, []::struct({origin})[] as provenance, '' as row_hash "
            "from dd_stored semi join dd_touched using (golden_id) anti join dd_contacts using (golden_id) "
            "where op = 'upsert' order by golden_id"
        ).to_arrow_table()
        self.retired = gone.num_rows
        return gone
