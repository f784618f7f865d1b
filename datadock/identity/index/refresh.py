"""The difference between the index and the lake: records of new generations, moved memberships, new decisions.

Reads what came since and nothing else. A record that was committed gives way to the batch's reading of it, which is the
same unless another version of it won; what the batch has not met yet stays.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
import orjson
import polars as pl

from datadock import names
from datadock.identity.feature_store import load_records
from datadock.identity.index.build import decision_rows, earlier_ids, party_features, record_rows_sql
from datadock.identity.index.decision import Decisions, View, decide
from datadock.identity.index.journal import Journal
from datadock.identity.index.party import PartyModel
from datadock.identity.index.store import Record, Store
from datadock.identity.lineage import latest
from datadock.identity.memberships import read_log
from datadock.identity.model import load_model
from datadock.identity.workspace import FEATURES, PARTIES, Workspace
from datadock.warehouse.lake_tables import TABLES

_KEYS = ["source", "source_key"]


def refresh(workspace: Workspace, store: Store, before: dict[str, Any], inputs: dict[str, Any], folder: Path) -> int:
    """Bring an index file up to the lake, in one transaction.

    Args:
        workspace: The run's workspace.
        store: The opened file.
        before: Inputs that the file has met.
        inputs: Inputs of now; noted in the file.
        folder: Folder of the index.

    Returns:
        Number of records written.
    """
    journal = Journal(folder)
    log = read_log(workspace)
    with journal.locked(), workspace.connection() as con, store.transaction():
        moved = log.filter(pl.col("generation") > before["moves"]).select(_KEYS).unique()
        con.register("dd_members", latest(log).select(*_KEYS, "golden_id").to_arrow())
        without = frozenset(s.name for s in workspace.catalog.sources.values() if s.deduplicated)
        models = {party: load_model(workspace.model_folder, party) for party in PARTIES}
        parties = {
            name: PartyModel(con, model, store, without, workspace.threshold(name))
            for name, model in models.items()
            if model is not None
        }
        touched = sum(
            _Party(con, workspace, store, party, parties).write(int(before["generation"])) for party in parties.values()
        )
        touched += _removed(con, workspace, store, parties, int(before["generation"]))
        _moved(store, log, moved)
        settle(store, journal, parties)
        store.db.execute("delete from decision")
        store.db.executemany("insert into decision values (?, ?, ?, ?, ?, ?)", decision_rows(workspace))
        _decide_again(workspace, store, parties)
        store.note("inputs", inputs)
    return touched


class _Party:
    """What is new of one party type; its records are loaded on the connection."""

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        workspace: Workspace,
        store: Store,
        party: PartyModel,
        parties: Mapping[str, PartyModel],
    ) -> None:
        self.con, self.workspace, self.store, self.party, self.parties = con, workspace, store, party, parties

    def write(self, since: int) -> int:
        """Replace the records that changed, with their keys and edges; return their number."""
        con, name = self.con, self.party.model.party
        if not load_records(con, self.workspace, name).rows:
            return 0
        con.execute(f"create or replace temp table dd_new as select rid from dd_{name} where generation > {since}")
        table, columns = party_features(con, self.workspace, self.party.model, "dd_new")
        rows = con.execute(record_rows_sql(table, columns, name, 0)).fetchall()
        numbers = {(row[2], row[3]): self._replaced(row) for row in rows}
        self._edges(numbers)
        return len(rows)

    def _replaced(self, row: tuple[Any, ...]) -> int:
        """Put a record of the batch in the place of the stored version; return its number."""
        _, party, source, source_key, received_at, feature_hash, golden, features = row
        known = self.store.record_of(source, source_key)
        told = orjson.loads(features)
        if known is not None and known.party == party and known.row == told:
            self.store.db.execute(
                "update record set received_at = ?, feature_hash = ?, golden = ?, segment = null where rid = ?",
                (received_at, feature_hash, golden, known.rid),
            )
            self.store.give([(known.rid, None)])
            return known.rid
        if known is not None:
            remove(self.store, known, self.parties)
        record = Record(self.store.next_rid(), party, source, source_key, received_at, feature_hash, golden, None, told)
        self.store.insert(record, self.party.keys(told), ())
        return record.rid

    def _edges(self, numbers: dict[tuple[str, str], int]) -> None:
        """Add the strong pairs of the records written."""
        con, party = self.con, self.party.model.party
        if not numbers:
            return
        stored = self.workspace.scan_or_empty(names.PAIRS, TABLES[names.PAIRS])
        con.execute(
            f"create or replace temp table dd_written as select source, source_key, feature_hash from dd_{party} "
            "semi join dd_new using (rid)"
        )
        ends = " union all ".join(
            f"select p.* from {stored} p join dd_written w on w.source = p.{side}_source "
            f"and w.source_key = p.{side}_key and w.feature_hash = p.{side}_hash"
            for side in ("left", "right")
        )
        live = " and ".join(
            f"exists (select 1 from dd_{party} d where d.source = {side}_source and d.source_key = {side}_key "
            f"and d.feature_hash = {side}_hash)"
            for side in ("left", "right")
        )
        pairs = con.execute(
            f"select distinct left_source, left_key, right_source, right_key, match_weight from ({ends}) "
            f"where match_weight >= {self.party.threshold} and model_version = '{self.party.model.version}' and {live}"
        ).fetchall()
        for left_source, left_key, right_source, right_key, weight in pairs:
            one, other = (self._number(numbers, key) for key in ((left_source, left_key), (right_source, right_key)))
            if one is not None and other is not None:
                self.store.join(one, other, weight)

    def _number(self, numbers: dict[tuple[str, str], int], key: tuple[str, str]) -> int | None:
        if key not in numbers:
            known = self.store.record_of(*key)
            return None if known is None else known.rid
        return numbers[key]


def _removed(
    con: duckdb.DuckDBPyConnection, workspace: Workspace, store: Store, parties: Mapping[str, PartyModel], since: int
) -> int:
    """Remove the records that are no more in the lake, unless they were committed since."""
    gone = con.execute(
        "select source, source_key from (select source, source_key, arg_max(op, generation) as op from "
        f"{workspace.scan(FEATURES, 'source, source_key, op, generation')} where generation > {since} group by all) "
        "where op = 'remove'"
    ).fetchall()
    known = [store.record_of(*key) for key in gone]
    for record in known:
        if record is not None and record.segment is None:
            remove(store, record, parties)
    return len(gone)


def _moved(store: Store, log: pl.DataFrame, moved: pl.DataFrame) -> None:
    """Give the records that moved the golden id that the log gives them, and keep those that they bore."""
    current = latest(log).join(moved, on=_KEYS, how="semi").select(*_KEYS, "golden_id")
    for source, source_key, golden in current.iter_rows():
        store.db.execute(
            "update record set golden = ? where source = ? and source_key = ? and golden is not ?",
            (golden, source, source_key, golden),
        )
    store.db.execute("delete from given where rid in (select rid from record where segment is null)")
    borne = earlier_ids(log.join(moved, on=_KEYS, how="semi"))
    store.db.executemany("insert or ignore into earlier values (?, ?, ?)", borne.iter_rows())


def settle(store: Store, journal: Journal, parties: Mapping[str, PartyModel]) -> None:
    """Let go of the segments that the batch has met; a record that it met otherwise gives way.

    A segment lands as a whole and in order: one record of it or of a later one in the lake's features tells that all
    were met.
    """
    met: set[str] = set()
    for segment in reversed(journal.segments()):
        witness = "select 1 from record where source = ? and received_at = ? and segment is null limit 1"
        found = store.db.execute(witness, (segment.source, segment.received_at)).fetchone()
        if not segment.has_landed or not (found or segment.source in met):
            continue
        met.add(segment.source)
        left = store.db.execute("select rid from record where segment = ?", (segment.name,)).fetchall()
        for record in store.records([row[0] for row in left]):
            remove(store, record, parties)
        journal.forget(segment)


def _decide_again(workspace: Workspace, store: Store, parties: Mapping[str, PartyModel]) -> None:
    """Weigh and decide anew what was committed and not met by the batch: the records around it have moved."""
    waiting = store.db.execute("select rid from record where segment is not null order by rid").fetchall()
    if not waiting:
        return
    records = store.records([row[0] for row in waiting])
    for record in records:
        party = parties.get(record.party)
        if party is not None:
            store.part(record.rid)
            for rid, weight in party.edges(party.candidates(record, party.keys(record.row))[0]).items():
                store.join(record.rid, rid, weight)
    without = sorted(source.name for source in workspace.catalog.sources.values() if source.deduplicated)
    singles = {name: place for place, name in enumerate(without)}
    view = View(store, Decisions(store.decisions()))
    done: set[int] = set()
    for record in records:
        if record.rid in done or record.party not in parties:
            continue
        decided = decide(view, [record.rid], parties[record.party], singles, workspace.id_secret)
        done |= decided.keys()
        logged = {one.rid: one.golden for one in store.records(list(decided))}
        store.give((rid, None if logged[rid] == golden else golden) for rid, (golden, _) in decided.items())


def remove(store: Store, record: Record, parties: Mapping[str, PartyModel]) -> None:
    """Remove a record, its keys and its edges."""
    party = parties.get(record.party)
    store.remove(record.rid, party.keys(record.row) if party is not None else [])
