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

from datadock import names
from datadock.identity.compiled.keys import key_numbers_sql
from datadock.identity.feature_store import load_since
from datadock.identity.features import Features
from datadock.identity.index.build import decision_rows, party_features, received_at_moments, record_rows_sql
from datadock.identity.index.decision import Decisions, View, decide
from datadock.identity.index.journal import Journal, Segment
from datadock.identity.index.party import PartyModel
from datadock.identity.index.store import Record, Store
from datadock.identity.model import load_model
from datadock.identity.workspace import FEATURES, PARTIES, Workspace
from datadock.warehouse.arrived import added_files
from datadock.warehouse.lake_tables import TABLES
from datadock.warehouse.values_sql import literal


def refresh(workspace: Workspace, store: Store, before: dict[str, Any], inputs: dict[str, Any], folder: Path) -> int:
    """Bring an index up to the lake, in one transaction.

    Args:
        workspace: The run's workspace.
        store: The opened index.
        before: Inputs that it has met.
        inputs: Inputs of now; noted in it.
        folder: Folder of the index.

    Returns:
        Number of records written.
    """
    journal = Journal(folder)
    with journal.locked(), workspace.connection(with_contacts=True) as con:
        with store.transaction():
            without = frozenset(s.name for s in workspace.catalog.sources.values() if s.deduplicated)
            models = {party: load_model(workspace.model_folder, party) for party in PARTIES}
            parties = {
                name: PartyModel(con, model, store, without, workspace.threshold(name))
                for name, model in models.items()
                if model is not None
            }
            moved = _moved_since(con, workspace, store, before["moves"])
            pairs, moments = _pairs_since(workspace, before, inputs), [one.received_at for one in journal.segments()]
            touched, met = 0, set()
            for name, party in parties.items():
                features = load_since(con, workspace, name, int(before["generation"]))
                met |= received_at_moments(con, name, moments)
                touched += _Party(con, workspace, store, party, parties).write(features, pairs) if features.rows else 0
            touched += _removed(con, workspace, store, parties, int(before["generation"]))
            _move(store, moved)
            settled = settle(store, journal, parties, met)
            store.db.execute("delete from decision")
            store.db.executemany("insert into decision values (?, ?, ?, ?, ?, ?)", decision_rows(workspace))
            _decide_again(workspace, store, parties)
            store.note("inputs", inputs)
        for segment in settled:
            journal.forget(segment)
    return touched


def _pairs_since(workspace: Workspace, before: Mapping[str, Any], inputs: Mapping[str, Any]) -> str:
    """SQL of the pairs that came since, or of all where that cannot be told."""
    files = added_files(workspace.lake, names.PAIRS, before["pairs"], inputs["pairs"])
    if files is None:
        return workspace.scan_or_empty(names.PAIRS, TABLES[names.PAIRS])
    listed = ", ".join(literal(file) for file in sorted(files))
    empty = ", ".join(f"null::{kind} as {name}" for name, kind in TABLES[names.PAIRS].items())
    return f"(from read_parquet([{listed}]))" if files else f"(select {empty} where false)"


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

    def write(self, features: Features, pairs: str) -> int:
        """Replace the records that changed, with their keys and edges; return their number."""
        con, model = self.con, self.party.model
        table, columns = party_features(con, self.workspace, model, features)
        keys: dict[int, list[int]] = {}
        for key, rid in con.execute(key_numbers_sql(table, model)).fetchall():
            keys.setdefault(rid, []).append(key)
        rows = con.execute(f"from ({record_rows_sql(table, columns, model.party)}) order by rid").fetchall()
        numbers = {(row[1], row[2]): self._replaced(row, keys.get(row[0], [])) for row in rows}
        self._edges(numbers, pairs)
        return len(rows)

    def _replaced(self, row: tuple[Any, ...], keys: list[int]) -> int:
        """Put a record of the batch in the place of the stored version; return its number."""
        _, source, source_key, received_at, changed_at, golden, features = row
        known, party = self.store.record_of(source, source_key), self.party.model.party
        told = orjson.loads(features)
        if golden is None and known is not None:
            golden = known.golden
        if known is not None and known.party == party and known.row == told:
            record = known._replace(received_at=received_at, changed_at=changed_at, golden=golden, segment=None)
            self.store.move(record)
            return record.rid
        if known is not None:
            remove(self.store, known, self.parties)
        rid = self.store.next_rid()
        record = Record(rid, party, source, source_key, received_at, changed_at, golden, None, told)
        self.store.insert(record, keys, ())
        return rid

    def _edges(self, numbers: dict[tuple[str, str], int], pairs: str) -> None:
        """Add the strong pairs of the records written; those of features that stood in between are none."""
        ends = {"l": "left", "r": "right"}
        joins = " ".join(
            f"left join dd_{self.party.model.party} {side} on {side}.source = {end}_source and "
            f"{side}.source_key = {end}_key"
            for side, end in ends.items()
        )
        live = " and ".join(
            f"({side}.source is null or {side}.feature_hash = {end}_hash)" for side, end in ends.items()
        )
        found = self.con.execute(
            "select distinct left_source, left_key, right_source, right_key, match_weight from "
            f"(from {pairs} where match_weight >= {self.party.threshold} "
            f"and model_version = '{self.party.model.version}') {joins} "
            f"where {live} and (l.source is not null or r.source is not null)"
        ).fetchall()
        for left_source, left_key, right_source, right_key, weight in found:
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


def _moved_since(
    con: duckdb.DuckDBPyConnection, workspace: Workspace, store: Store, since: int
) -> list[tuple[str, str, str | None]]:
    """Make ``dd_members`` of the records that moved: what they bear now; keep in the index what they bore before."""
    columns = {"source": "varchar", "source_key": "varchar", "golden_id": "varchar", "generation": "bigint"}
    con.execute(
        "create or replace temp table dd_members as select source, source_key, "
        "list(golden_id order by generation) as borne, borne[-1] as golden_id from "
        f"{workspace.scan_or_empty(names.MEMBERSHIPS, columns)} where generation > {since} group by all"
    )
    rows = con.execute("from dd_members").fetchall()
    for source, source_key, borne, golden in rows:
        known = store.record_of(source, source_key)
        for earlier in {*borne, known.golden if known else None} - {None, golden}:
            store.db.execute("insert or ignore into earlier values (?, ?, ?)", (source, source_key, earlier))
        store.db.execute(
            "delete from earlier where source = ? and source_key = ? and golden = ?", (source, source_key, golden)
        )
    return [(source, source_key, golden) for source, source_key, _, golden in rows]


def _move(store: Store, moved: list[tuple[str, str, str | None]]) -> None:
    """Give the records that moved the golden id that the log gives them; told otherwise are only those committed."""
    for source, source_key, golden in moved:
        record = store.record_of(source, source_key)
        if record is not None and record.golden != golden:
            store.move(record._replace(golden=golden))
    store.db.execute("delete from given where rid not in (select rid from record where segment is not null)")


def settle(
    store: Store, journal: Journal, parties: Mapping[str, PartyModel], met: set[tuple[str, int]]
) -> list[Segment]:
    """Let go of the segments that the batch has met; a record that it met otherwise gives way.

    A segment lands as a whole and in order: one record of it or of a later one in the lake's features tells that all
    were met.

    Args:
        store: The index.
        journal: The journal.
        parties: The models, by party type.
        met: Source and moment of the segments of which records were met.

    Returns:
        The segments to forget, when the change is complete.
    """
    done: list[Segment] = []
    sources: set[str] = set()
    for segment in reversed(journal.segments()):
        is_met = (segment.source, segment.received_at) in met or segment.source in sources
        if segment.has_landed and (is_met or store.is_settled(segment.name)):
            sources |= {segment.source} if is_met else set()
            left = store.db.execute("select rid from record where segment = ?", (segment.name,)).fetchall()
            for record in store.records([row[0] for row in left]):
                remove(store, record, parties)
            store.settle(segment.name)
            done.append(segment)
    return done


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
