"""The index built from the lake's golden tables, and brought up to them by difference.

A build reads columns and writes sorted rows into a file of its own; a refresh reads the generations that came since and
changes the file in use in one transaction. Which of the two, the noted inputs tell.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import orjson
import polars as pl

from datadock import names
from datadock.identity.compiled.keys import key_numbers_sql
from datadock.identity.compiled.scorer import scored_columns
from datadock.identity.feature_store import load_features, load_records
from datadock.identity.features import Features
from datadock.identity.index.journal import Journal
from datadock.identity.index.store import FORM, Store, create_file, current_file, finish_file, switch_to
from datadock.identity.ledger import read_decisions, standing
from datadock.identity.lineage import latest
from datadock.identity.memberships import read_log
from datadock.identity.model import Model, load_model, load_term_frequencies
from datadock.identity.pairs import LIVE_PAIRS, load_live_pairs
from datadock.identity.trainer import without_shared
from datadock.identity.workspace import FEATURES, PARTIES, Workspace, apart_sql

_ROWS = 50_000
"""Rows in the making at a time."""


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
    path = current_file(folder)
    if path is not None and not rebuild:
        store = Store(path)
        try:
            before = store.meta("inputs") if store.meta("form") == FORM else None
            if before == inputs:
                return _report(store, changed=False, rebuilt=False, touched=0)
            if before is not None and all(before[key] == inputs[key] for key in _FIXED):
                touched = refresh(workspace, store, before, inputs, folder)
                return _report(store, changed=True, rebuilt=False, touched=touched)
        finally:
            store.close()
    path = folder / f"identity-{secrets.token_hex(8)}.sqlite"
    build(workspace, path, inputs)
    switch_to(folder, path)
    store = Store(path)
    try:
        settle(store, Journal(folder), {})
        return _report(
            store, changed=True, rebuilt=True, touched=store.db.execute("select count(*) from record").fetchone()[0]
        )
    finally:
        store.close()


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
        "generation": int(features.get("generation", 0)),
        "moves": moves,
        "pairs": workspace.lake.version(names.PAIRS),
        "decisions": workspace.lake.version(names.DECISIONS),
    }


def _report(store: Store, *, changed: bool, rebuilt: bool, touched: int) -> IndexReport:
    records = int(store.db.execute("select count(*) from record").fetchone()[0])
    return IndexReport(changed, rebuilt, records, touched, store.path.stat().st_size)


def build(workspace: Workspace, path: Path, inputs: dict[str, Any]) -> None:
    """Write an index file of everything that the lake holds.

    Args:
        workspace: The run's workspace.
        path: The file; made anew.
        inputs: As of ``index_inputs``; noted in the file.
    """
    db = create_file(path)
    log = read_log(workspace)
    with workspace.connection() as con:
        con.register("dd_members", latest(log).select("source", "source_key", "golden_id").to_arrow())
        offset = 0
        for party in PARTIES:
            model = load_model(workspace.model_folder, party)
            records = load_records(con, workspace, party)
            if model is None or not records.rows:
                continue
            table, columns = party_features(con, workspace, model)
            _note(db, f"columns {party}", columns)
            _copy(con, db, f"{record_rows_sql(table, columns, party, offset)} order by rid", _INSERT_RECORD)
            _copy(con, db, f"select key, rid + {offset} as rid from ({key_numbers_sql(table, model)}) order by 1, 2",
                  "insert into post values (?, ?)")  # fmt: skip
            load_live_pairs(con, workspace, party, model.version)
            edges = _edges_sql(workspace.threshold(party))
            _copy(con, db, f"select one + {offset}, other + {offset}, weight from ({edges}) order by 1, 2",
                  "insert into edge values (?, ?, ?)")  # fmt: skip
            _terms(con, db, workspace, model)
            offset += records.rows
    db.executemany("insert or ignore into earlier values (?, ?, ?)", earlier_ids(log).iter_rows())
    db.executemany("insert into decision values (?, ?, ?, ?, ?, ?)", decision_rows(workspace))
    for name, value in (("form", FORM), ("inputs", inputs), ("last_rid", max(0, offset - 1))):
        _note(db, name, value)
    finish_file(db)


_INSERT_RECORD = "insert into record values (?, ?, ?, ?, ?, ?, ?, null, ?)"


def _edges_sql(threshold: float) -> str:
    """SQL of the strong pairs, each both ways round."""
    return (
        f"select rid_l as one, rid_r as other, weight from {LIVE_PAIRS} where weight >= {threshold} union all "
        f"select rid_r, rid_l, weight from {LIVE_PAIRS} where weight >= {threshold}"
    )


def party_features(
    con: duckdb.DuckDBPyConnection, workspace: Workspace, model: Model, wanted: str | None = None
) -> tuple[str, list[str]]:
    """Load the scored features of a party's records, which ``load_records`` has loaded.

    Args:
        con: Connection.
        workspace: The run's workspace.
        model: The party's model.
        wanted: Table with the ``rid`` of the records wanted; all of them by default.

    Returns:
        The table, and the columns kept of it: those that the model compares first.
    """
    records = load_records(con, workspace, model.party) if wanted is None else None
    features = load_features(con, workspace, records or _loaded(con, model.party), wanted)
    table = without_shared(con, features, model.shared)
    scored = scored_columns(model)
    known = [*features.columns, *(["address_key"] if "street" in features.columns else [])]
    return table, [*scored, *(name for name in known if name not in scored)]


def _loaded(con: duckdb.DuckDBPyConnection, party: str) -> Features:
    return Features(f"dd_{party}", (), int(con.execute(f"select count(*) from dd_{party}").fetchall()[0][0]))


def record_rows_sql(table: str, columns: list[str], party: str, offset: int) -> str:
    """Return SQL of the rows of ``record`` (without its segment) of a table of scored features."""
    told = ", ".join(f'f."{name}"' for name in columns)
    return (
        f"select f.rid + {offset} as rid, '{party}' as party, f.source, f.source_key, "
        f"epoch_us(r.received_at) as at_us, f.feature_hash, m.golden_id, json_array({told})::varchar as features "
        f"from {table} f join (select rid, received_at from dd_{party}) r on r.rid = f.rid "
        "left join dd_members m on m.source = f.source and m.source_key = f.source_key"
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


def _terms(con: duckdb.DuckDBPyConnection, db: sqlite3.Connection, workspace: Workspace, model: Model) -> None:
    """Copy the frozen term frequencies, and note what a term never counted is taken for."""
    rare = {}
    for feature, table in load_term_frequencies(workspace.model_folder, model, con).items():
        rare[feature] = con.execute(f"select coalesce(min(tf_{feature}), 1e-4) from {table}").fetchall()[0][0]
        told = f"select '{model.party}', '{feature}', {feature}, tf_{feature} from {table} order by 3"
        _copy(con, db, told, "insert into term values (?, ?, ?, ?)")
    _note(db, f"rare {model.party}", rare)


def _copy(con: duckdb.DuckDBPyConnection, db: sqlite3.Connection, query: str, insert: str) -> None:
    for rows in batches(con, query):
        db.executemany(insert, rows)


def batches(con: duckdb.DuckDBPyConnection, query: str) -> Iterator[list[tuple[Any, ...]]]:
    """Give the rows of a query, some at a time."""
    answer = con.execute(query)
    while rows := answer.fetchmany(_ROWS):
        yield rows


def _note(db: sqlite3.Connection, name: str, value: Any) -> None:
    db.execute("insert or replace into meta values (?, ?)", (name, orjson.dumps(value).decode()))
