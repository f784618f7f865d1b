"""The index built from the lake's golden tables, and brought up to them by difference.

A build reads columns and writes columns into a folder of its own; a refresh reads the generations that came since and
changes the index in use in one transaction. Which of the two, the noted inputs tell.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import orjson
import polars as pl
import pyarrow as pa

from datadock import names
from datadock.identity.compiled.keys import key_numbers_sql
from datadock.identity.compiled.numbers import number_sql
from datadock.identity.compiled.scorer import scored_columns
from datadock.identity.feature_store import load_features, load_records
from datadock.identity.features import Features
from datadock.identity.index.base import BaseWriter
from datadock.identity.index.files import create_changes, current_folder, form, switch_to
from datadock.identity.index.journal import Journal
from datadock.identity.index.store import Store
from datadock.identity.ledger import read_decisions, standing
from datadock.identity.lineage import latest
from datadock.identity.memberships import read_log
from datadock.identity.model import Model, load_model, load_term_frequencies
from datadock.identity.pairs import LIVE_PAIRS, load_live_pairs
from datadock.identity.trainer import without_shared
from datadock.identity.workspace import CONTACTS, FEATURES, PARTIES, Workspace, apart_sql

_ROWS = 50_000
"""Rows in the making at a time."""

_WORN, _WORN_SHARE = 20_000, 0.25
"""A build is due when more records, and a larger share of all, have changed since the last."""


@dataclass(frozen=True)
class IndexReport:
    """What became of the index.

    Attributes:
        changed: False where the index was up to date.
        rebuilt: Whether it was built anew, for other models or another store of features.
        records: Records that it holds.
        touched: Records written in this run.
        bytes: Size of its file.
    """

    changed: bool
    rebuilt: bool
    records: int
    touched: int
    bytes: int


def refresh_index(workspace: Workspace, folder: Path, *, rebuild: bool = False) -> IndexReport:
    """Bring the index up to the lake.

    Args:
        workspace: The run's workspace; ``assign_identities`` has run.
        folder: Folder of the index.
        rebuild: Build it anew even where it fits.

    Returns:
        What was done; nothing is written where nothing is new.
    """
    from datadock.identity.index.refresh import refresh, settle  # the difference is read with the same columns

    inputs = index_inputs(workspace)
    path = current_folder(folder)
    if path is not None and not rebuild:
        store = Store(path)
        try:
            before = store.meta("inputs") if store.meta("form") == form() else None
            if before == inputs:
                return _report(store, changed=False, rebuilt=False, touched=0)
            if before is not None and all(before[key] == inputs[key] for key in _FIXED) and not _is_worn(store):
                touched = refresh(workspace, store, before, inputs, folder)
                return _report(store, changed=True, rebuilt=False, touched=touched)
        finally:
            store.close()
    path, journal = folder / f"identity-{secrets.token_hex(8)}", Journal(folder)
    met = build(workspace, path, inputs, [segment.received_at for segment in journal.segments()])
    switch_to(folder, path)
    store = Store(path)
    try:
        with store.transaction():
            settled = settle(store, journal, {}, met)
        for segment in settled:
            journal.forget(segment)
        return _report(store, changed=True, rebuilt=True, touched=store.base.count)
    finally:
        store.close()


def _is_worn(store: Store) -> bool:
    """Whether so much has changed since the build that another one is due."""
    changed = int(store.db.execute("select count(*) from record").fetchall()[0][0])
    return changed > max(_WORN, store.base.count * _WORN_SHARE)


_FIXED = ("models", "spec", "store", "apart", "threshold")
"""Inputs that touch every record where they change."""


def index_inputs(workspace: Workspace) -> dict[str, Any]:
    """Return what the index is made of, as the lake has it now."""
    features = workspace.cursor(FEATURES)
    log = workspace.scan_or_empty(names.MEMBERSHIPS, {"generation": "bigint"})
    with workspace.connection() as con:
        moves = int(con.execute(f"select coalesce(max(generation), 0) from {log}").fetchall()[0][0])
    models = {party: load_model(workspace.model_folder, party) for party in PARTIES}
    return {
        "models": {party: model.version for party, model in models.items() if model is not None},
        "spec": features.get("spec"),
        "store": features.get("store"),
        "apart": apart_sql(workspace),
        "threshold": workspace.catalog.identity.threshold.model_dump(),
        "generation": int(workspace.cursor(names.PAIRS).get("generation", 0)),
        "moves": moves,
        "pairs": workspace.lake.version(names.PAIRS),
        "decisions": workspace.lake.version(names.DECISIONS),
    }


def _report(store: Store, *, changed: bool, rebuilt: bool, touched: int) -> IndexReport:
    return IndexReport(changed, rebuilt, store.count(), touched, store.bytes)


def build(workspace: Workspace, path: Path, inputs: dict[str, Any], moments: Sequence[int]) -> set[tuple[str, int]]:
    """Write an index of everything that the lake holds.

    Args:
        workspace: The run's workspace.
        path: The folder of the build; made anew.
        inputs: As of ``index_inputs``; noted with it.
        moments: Microseconds since 1970 UTC.

    Returns:
        Which of the moments records of a source were received at: source and moment.
    """
    path.mkdir(parents=True)
    writer, met = BaseWriter(path), set()
    notes: dict[str, Any] = {"form": form(), "inputs": inputs, "parties": list(PARTIES), "sources": []}
    log = read_log(workspace)
    with workspace.connection(with_contacts=True) as con:
        con.register("dd_members", latest(log).select("source", "source_key", "golden_id").to_arrow())
        con.execute("create temp table dd_postings (number ubigint, row uinteger)")
        for party in PARTIES:
            model = load_model(workspace.model_folder, party)
            records = load_records(con, workspace, party)
            met |= received_at_moments(con, party, moments)
            if model is not None and records.rows:
                notes |= _add_party(con, workspace, model, writer, notes["sources"])
        count = int(con.execute("select count(*) from dd_postings").fetchall()[0][0])
        writer.finish(count, con.sql("from dd_postings order by number, row").to_arrow_reader(_ROWS))
    db = create_changes(path)
    db.executemany("insert or ignore into earlier values (?, ?, ?)", earlier_ids(log).iter_rows())
    db.executemany("insert into decision values (?, ?, ?, ?, ?, ?)", decision_rows(workspace))
    db.executemany("insert into meta values (?, ?)", [(name, orjson.dumps(v).decode()) for name, v in notes.items()])
    db.execute("commit")
    db.close()
    return met


def received_at_moments(con: duckdb.DuckDBPyConnection, party: str, moments: Sequence[int]) -> set[tuple[str, int]]:
    """Return at which of some moments loaded records were received: source and moment."""
    if not moments:
        return set()
    listed = ", ".join(map(str, moments))
    received = f"select distinct source, epoch_us(received_at) as moment from dd_{party}"
    return set(con.execute(f"from ({received}) where moment in ({listed})").fetchall())


def _add_party(
    con: duckdb.DuckDBPyConnection, workspace: Workspace, model: Model, writer: BaseWriter, sources: list[str]
) -> dict[str, Any]:
    """Write the records, pairs and terms of a party; return what is noted of it."""
    party, first = model.party, writer.records
    table, columns = party_features(con, workspace, model)
    met = con.execute(f"select distinct source from dd_{party} order by 1").fetchall()
    sources += [source for (source,) in met if source not in sources]
    con.execute(f"insert into dd_postings select key, rid + {first} from ({key_numbers_sql(table, model)})")
    record, golden = number_sql("record", "source", "source_key"), number_sql("golden", "golden_id")
    con.execute(
        f"create or replace temp table dd_rows as {record_rows_sql(table, columns, party)}; "
        f"insert into dd_postings select {record}, rid + {first} from dd_rows union all "
        f"select {golden}, rid + {first} from dd_rows where golden_id is not null"
    )
    head = (
        f"{PARTIES.index(party)}, list_position({sources}, source) - 1, source_key, received_at, changed_at, golden_id"
    )
    told = f"(json_array({head})::varchar)[:-2] || ',' || features || ']'"  # JSON within JSON would be parsed again
    writer.add_records(con.sql(f"select {told} from dd_rows order by rid").to_arrow_reader(_ROWS))
    load_live_pairs(con, workspace, party, model.version)
    strong = f"select * from {LIVE_PAIRS} where weight >= {workspace.threshold(party)}"
    writer.add_edges(
        con.sql(
            f"select rid_l + {first}, rid_r + {first}, weight from ({strong}) union all "
            f"select rid_r + {first}, rid_l + {first}, weight from ({strong}) order by 1, 2"
        ).to_arrow_table()
    )
    return {f"columns {party}": columns, f"rare {party}": _terms(con, workspace, model, writer)}


def party_features(
    con: duckdb.DuckDBPyConnection, workspace: Workspace, model: Model, features: Features | None = None
) -> tuple[str, list[str]]:
    """Load the scored features of a party's records.

    Args:
        con: Connection; ``load_records`` has loaded the records.
        workspace: The run's workspace.
        model: The party's model.
        features: Where the features of some of the records stand; those of all are loaded by default.

    Returns:
        The table, and the columns kept of it: those that the model compares first.
    """
    if features is None:
        rows = int(con.execute(f"select count(*) from dd_{model.party}").fetchall()[0][0])
        features = load_features(con, workspace, Features(f"dd_{model.party}", (), rows))
    table = without_shared(con, features, model.shared)
    scored = scored_columns(model)
    known = [*features.columns, *(["address_key"] if "street" in features.columns else [])]
    return table, [*scored, *(name for name in known if name not in scored)]


def record_rows_sql(table: str, columns: list[str], party: str) -> str:
    """Return SQL of rid, source, source_key, received_at, changed_at, golden_id, features of scored features.

    Args:
        table: As of ``party_features``; the records stand in ``dd_<party>``, their golden ids in ``dd_members``, the
            contacts in the warehouse.
        columns: As of ``party_features``.
        party: The party type.
    """
    told = ", ".join(f'f."{name}"' for name in columns)
    dated = f"select source, source_key, record_updated_at from {CONTACTS} where record_updated_at is not null"
    return (
        "select f.rid, f.source, f.source_key, epoch_us(r.received_at) as received_at, "
        "epoch_us(coalesce(c.record_updated_at, r.received_at)) as changed_at, m.golden_id, "
        f"json_array({told})::varchar as features from {table} f "
        f"join (select rid, received_at from dd_{party}) r on r.rid = f.rid "
        "left join dd_members m on m.source = f.source and m.source_key = f.source_key "
        f"left join ({dated}) c on c.source = f.source and c.source_key = f.source_key"
    )


def earlier_ids(log: pl.DataFrame) -> pl.DataFrame:
    """Return source, source_key, golden_id of every id that a record bore before the one it bore last."""
    borne = log.drop_nulls("golden_id")
    last = borne.filter(pl.col("generation") == pl.col("generation").max().over("source", "source_key"))
    keys = ["source", "source_key", "golden_id"]
    gone = latest(log).filter(pl.col("golden_id").is_null()).select("source", "source_key")
    removed = last.join(gone, on=["source", "source_key"], how="semi").select(keys)
    return pl.concat([borne.join(last, on=keys, how="anti").select(keys).unique(), removed])


def decision_rows(workspace: Workspace) -> list[tuple[Any, ...]]:
    """Return the rows of ``decision``: those that hold, in the order in which they were taken."""
    columns = ["kind", "left_source", "left_key", "right_source", "right_key"]
    read = standing(read_decisions(workspace)).select(columns)
    return [(*row, place) for place, row in enumerate(read.iter_rows())]


def _terms(con: duckdb.DuckDBPyConnection, workspace: Workspace, model: Model, writer: BaseWriter) -> dict[str, float]:
    """Copy the frozen term frequencies; return what a term of a feature that was never counted is taken for."""
    rare = {}
    for feature, table in load_term_frequencies(workspace.model_folder, model, con).items():
        con.execute(
            f"create or replace temp table dd_terms as select {feature} as term, tf_{feature} as tf from {table}"
        )
        rare[feature] = con.execute("select coalesce(min(tf), 1e-4) from dd_terms").fetchall()[0][0]
        known = con.sql("select term, tf from dd_terms").to_arrow_table()
        first = writer.add_terms(known["tf"].to_numpy())
        con.register("dd_numbered", known.append_column("row", pa.array(range(first, first + known.num_rows))))
        number = number_sql(f"term {model.party} {feature}", "term")
        con.execute(f"insert into dd_postings select {number}, row from dd_numbered")
    return rare
