"""The stores of normalised values: every distinct value of the warehouse once, with its evidence.

New values are read and appended. A newer postal reference reads again what it touches, newer rules read everything
again; a row is written only where the result differs, so that a store is the history of what was thought of a value.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa

from datadock import quality
from datadock.contact_points.kinds import ENTITIES, KINDS, ValueKind, declared_values
from datadock.contact_points.references import References
from datadock.identity.workspace import Workspace, latest_rows
from datadock.quality.address import AddressNormaliser
from datadock.quality.reference import load_reference
from datadock.warehouse.arrived import BATCHES, arrived_batches, staged

_BATCH = 100_000
"""Values that are in the making at a time, which bounds the memory."""
_SAID = ("codes", "others")
_KEPT = ("value_id", "reference", "generation", "run_id", "recorded_at")


@dataclass(frozen=True)
class ValuesReport:
    """What became of the stores of values.

    Attributes:
        values: Kind to distinct values in store.
        new: Kind to values read for the first time.
        checked_again: Kind to values read again, for a newer reference or newer rules.
        changed: Kind to values whose result became another.
        reference: Version of the postal reference.
    """

    values: dict[str, int] = field(default_factory=dict)
    new: dict[str, int] = field(default_factory=dict)
    checked_again: dict[str, int] = field(default_factory=dict)
    changed: dict[str, int] = field(default_factory=dict)
    reference: str = ""


def update_values(workspace: Workspace, references: References | None = None) -> ValuesReport:
    """Bring the stores up to the values that the warehouse holds.

    Args:
        workspace: The run's workspace; the staging and intermediate models are built.
        references: The postal reference and streets in use; the packaged reference when none are given.

    Raises:
        WarehouseError: When the contacts cannot be read.
    """
    used = references or References(load_reference())
    report = ValuesReport(reference=used.version)
    with workspace.connection(with_contacts=True) as con:
        for kind in KINDS:
            _update(con, workspace, kind, used, report)
    return report


def _update(
    con: duckdb.DuckDBPyConnection,
    workspace: Workspace,
    kind: ValueKind,
    references: References,
    report: ValuesReport,
) -> None:
    worker = references.normaliser
    before = workspace.cursor(kind.table)
    now = staged(con, ENTITIES)
    inputs = {"rules": _rules(), "reference": references.version, "generation": before.get("generation", 0)}
    batches = BATCHES if arrived_batches(con, workspace.lake, before.get("staged"), now) else None
    known = workspace.scan_or_empty(kind.table, {"value_id": "varchar"})
    declared = declared_values(kind, workspace.catalog, _tables(con), batches)
    con.execute(
        f"create or replace temp table dd_new as from ({declared}) "
        f"anti join (select value_id from {known}) using (value_id)"
    )
    again = _touched(con, workspace, kind, before, references)
    new = _count(con, "dd_new")
    report.values[kind.name] = int(before.get("values", 0)) + new
    report.new[kind.name], report.checked_again[kind.name], report.changed[kind.name] = new, again, 0
    moved = bool(before) and (before["rules"], before["reference"]) != (inputs["rules"], inputs["reference"])
    if not new and not again and not moved:
        return
    inputs |= {"generation": inputs["generation"] + 1, "values": report.values[kind.name], "staged": now}
    stamps = {
        "reference": references.version,
        "generation": inputs["generation"],
        "run_id": workspace.run_id,
        "recorded_at": workspace.run_at,
    }
    changed = _changed(con, kind, worker, again)
    report.changed[kind.name] = changed.height
    schema = table_schema(kind)
    rows = pa.RecordBatchReader.from_batches(schema, _batches(con, kind, worker, changed, stamps, schema))
    workspace.append(kind.table, rows, inputs)


def _touched(
    con: duckdb.DuckDBPyConnection,
    workspace: Workspace,
    kind: ValueKind,
    before: dict[str, Any],
    references: References,
) -> int:
    """Create ``dd_again``: the latest row of every stored value that is to be read again."""
    con.execute("drop table if exists dd_again")
    other_rules = before.get("rules", _rules()) != _rules()
    other_reference = kind.name == "address" and before.get("reference", references.version) != references.version
    if not other_rules and not other_reference:
        return 0
    newest = latest_rows(workspace, kind.table, "value_id")
    if other_rules:
        con.execute(f"create temp table dd_again as {newest}")
        return _count(con, "dd_again")
    looked_at = ", ".join(("value_id", *kind.declared, "code_postal", "code_insee", "codes", "street_checked"))
    stored = con.sql(f"select {looked_at} from ({newest})").pl()
    ids: pl.DataFrame = stored.filter(references.touches(before["reference"], kind.declared)).select("value_id")
    con.register("dd_touched_values", ids.to_arrow())
    con.execute(f"create temp table dd_again as select * from ({newest}) semi join dd_touched_values using (value_id)")
    return ids.height


def _changed(con: duckdb.DuckDBPyConnection, kind: ValueKind, worker: AddressNormaliser, again: int) -> pl.DataFrame:
    """Return the ids of values whose result is another than the stored one, with their declared texts."""
    texts = ", ".join(("value_id", *kind.declared))
    if not again:
        none: pl.DataFrame = con.sql(f"select {texts} from dd_new limit 0").pl()
        return none
    stored: pl.DataFrame = con.sql("from dd_again order by value_id").pl()
    read = kind.read(stored.select(kind.declared), worker)
    said = [name for name in kind.schema if name != "evidence"]
    now = read.select(said).with_columns(pl.col("status").cast(pl.String))
    then = stored.select(said)
    differs = pl.any_horizontal([pl.col(name).ne_missing(pl.col(f"{name}__then")) for name in said])
    both = now.hstack(then.rename({name: f"{name}__then" for name in said}))
    return stored.select("value_id", *kind.declared).filter(both.select(differs).to_series())


def _batches(
    con: duckdb.DuckDBPyConnection,
    kind: ValueKind,
    worker: AddressNormaliser,
    changed: pl.DataFrame,
    stamps: dict[str, Any],
    schema: pa.Schema,
) -> Iterator[pa.RecordBatch]:
    con.register("dd_changed_values", changed.to_arrow())
    texts = ", ".join(("value_id", *kind.declared))
    wanted = f"select {texts} from dd_new union all select {texts} from dd_changed_values"
    # Read in order, so that equal first letters stand together: the files get smaller and their scans faster.
    for batch in con.sql(f"from ({wanted}) order by {', '.join(kind.declared)}").to_arrow_reader(_BATCH):
        declared = pl.DataFrame(pl.from_arrow(batch))
        read = kind.read(declared.select(kind.declared), worker).select(list(kind.schema))
        rows = declared.hstack(read).with_columns(
            pl.col("status").cast(pl.String), **{name: pl.lit(value) for name, value in stamps.items()}
        )
        yield from rows.select(schema.names).to_arrow().cast(schema).to_batches()


@functools.cache
def _schema(name: str) -> pa.Schema:
    kind = next(one for one in KINDS if one.name == name)
    empty = pl.DataFrame(
        schema={
            "value_id": pl.String,
            **{column: pl.String for column in kind.declared},
            **kind.schema,
            "status": pl.String,
            "reference": pl.String,
            "generation": pl.Int64,
            "run_id": pl.String,
            "recorded_at": pl.Datetime("us", "UTC"),
        }
    )
    return pa.schema([pa.field(one.name, _plain(one.type)) for one in empty.to_arrow().schema])


def table_schema(kind: ValueKind) -> pa.Schema:
    """Return the Arrow schema of a kind's store."""
    return _schema(kind.name)


def _plain(kind: pa.DataType) -> pa.DataType:
    """Replace Arrow's large and view types, which Delta does not keep apart."""
    if pa.types.is_large_list(kind):
        return pa.list_(_plain(kind.value_type))
    if pa.types.is_struct(kind):
        return pa.struct([pa.field(one.name, _plain(one.type)) for one in kind])
    return pa.string() if pa.types.is_large_string(kind) or pa.types.is_string_view(kind) else kind


def _tables(con: duckdb.DuckDBPyConnection) -> set[str]:
    """Return the intermediate tables that the attached warehouse has; that of a link has contacts only."""
    found = con.execute(
        "select table_name from information_schema.tables where table_catalog = 'warehouse' "
        "and table_schema = 'intermediate'"
    ).fetchall()
    return {row[0] for row in found}


def _count(con: duckdb.DuckDBPyConnection, table: str) -> int:
    return int(con.execute(f"select count(*) from {table}").fetchall()[0][0])


@functools.cache
def _rules() -> str:
    """Return a digest of the normalisers' code: other rules may read every value otherwise."""
    digest = hashlib.sha256()
    for path in sorted(Path(str(quality.__file__)).parent.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
