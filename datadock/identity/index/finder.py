"""``IdentityIndex``: resolves, explains and commits one record.

A commit is on disk in the journal first, then in the index; what a killed process wrote into the one and not into the
other is read from the journal by the next.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import duckdb

from datadock.dock import Dock, open_dock
from datadock.errors import DatadockError, WarehouseError
from datadock.identity.compiled.cleaning import Cleaner
from datadock.identity.explanation import Explanation
from datadock.identity.feature_store import stored_kinds
from datadock.identity.features import linking_fields
from datadock.identity.ids import is_valid_id
from datadock.identity.index.decision import NO_MODEL, Decisions, View, decide
from datadock.identity.index.declared import Payload
from datadock.identity.index.files import current_folder, form, pointed
from datadock.identity.index.journal import Journal, Segment
from datadock.identity.index.party import PartyModel, Weighed
from datadock.identity.index.reasons import explain_pair
from datadock.identity.index.resolution import Candidate, Certainty, Resolution
from datadock.identity.index.sources import Commits, Key, Sources, parts_of
from datadock.identity.index.store import Record, Store
from datadock.identity.model import MODEL_FOLDER, load_model
from datadock.identity.workspace import PARTIES
from datadock.quality.address import AddressNormaliser
from datadock.refdata import current_reference, current_streets, read_contacts_by
from datadock.settings import Settings

_NOT_STORED = -1
_SHOWN = 5


class IdentityIndex:
    """One record, now; made by ``open``.

    Safe for several threads and processes: commits follow one another, questions see the last complete commit.
    """

    def __init__(self, dock: Dock, addresses: AddressNormaliser) -> None:
        """Take an opened deployment and its reader of addresses; see ``open``."""
        self.dock = dock
        self.folder = dock.settings.identity_index
        self.journal = Journal(self.folder)
        self._con = duckdb.connect(config={"threads": 1})
        self._con.execute("set timezone = 'UTC'")
        self._cleaner = Cleaner(self._con, linking_fields(dock.catalog), stored_kinds(dock.lake), addresses)
        without = sorted(source.name for source in dock.catalog.sources.values() if source.deduplicated)
        self._singles = {name: place for place, name in enumerate(without)}
        self._sources = Sources(self._con, dock.catalog)
        self._guard, self._turn = threading.RLock(), threading.Lock()
        self._waiting: deque[Commits] = deque()
        self._store: Store | None = None
        self._parties: dict[str, PartyModel] = {}
        self._decisions = Decisions(())
        self._inputs: dict[str, Any] = {}
        self._seen, self._pointed = -1, (0, 0)
        self._caught: dict[str, int] = {}
        self._landings = _NOT_STORED

    @classmethod
    def open(cls, settings: Settings) -> IdentityIndex:
        """Open the index of a deployment.

        Raises:
            WarehouseError: When no index was built yet.
            ModelError: When the model cannot be compiled out of SQL.
        """
        dock = open_dock(settings)
        read_contacts_by(settings)
        index = cls(dock, AddressNormaliser(current_reference(settings), current_streets(settings)))
        with index._caught_up():
            return index

    def close(self) -> None:
        """Close the files."""
        with self._guard:
            self.journal.close()
            if self._store is not None:
                self._store.close()
                self._store = None
            self._con.close()

    def __enter__(self) -> IdentityIndex:
        """Return the index."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the index."""
        self.close()

    def resolve(self, source: str, values: Mapping[str, str | None], source_key: Key = ()) -> Resolution:
        """Say who a record is, as if the next batch had met it; nothing is stored.

        Args:
            source: A declared source of contacts.
            values: Contact field to text as declared, ``{"given_name": "Anna", "birth_date": "12/03/1984"}``.
            source_key: Its key, where it has one; a stored record of this key is taken as replaced by it.

        Raises:
            DatadockError: When source, field or key are not declared.
        """
        with self._caught_up():
            payload = self._sources.declared(source).payload(values, parts_of(source_key))
            now = time.time_ns() // 1000  # a cluster is founded by a record that is stored, not by a question
            before = self._stored_version(source, payload)
            record, keys = self._read(source, payload, before, _NOT_STORED, None, now)
            return self._resolved(record, keys, before)[0]

    def commit(self, source: str, source_key: Key, values: Mapping[str, str | None]) -> Resolution:
        """Store a record and say who it is: durable when this returns, and met by the next batch.

        Args:
            source: A declared source of contacts.
            source_key: Its key; a key of several parts as a sequence, or with ``|`` between.
            values: As for ``resolve``.

        Raises:
            DatadockError: When source, field or key are not declared, or the record breaks the source's contract.
        """
        return self.commit_many([(source, source_key, values)])[0]

    def commit_many(self, records: Iterable[tuple[str, Key, Mapping[str, str | None]]]) -> list[Resolution]:
        """Store several records, one after the other, with one wait for the disk; see ``commit``.

        None is stored when one of them is refused. Commits of several threads wait for the disk together.
        """
        mine = Commits(tuple(records))
        self._waiting.append(mine)
        with self._turn:
            if mine.answer is None:
                taken = [self._waiting.popleft() for _ in range(len(self._waiting))]
                with self.journal.locked():
                    self._store_all(taken)
        if isinstance(mine.answer, BaseException):
            raise mine.answer
        return mine.answer or []

    def _store_all(self, commits: Sequence[Commits]) -> None:
        """Store what several callers commit; the journal is held."""
        try:
            with self._current():
                self._catch_up()
                store = self._opened()
                for each in commits:
                    each.prepare(self._sources)
                sound = [each for each in commits if each.answer is None]
                segments = {source: self.journal.segment(source) for each in sound for source, _ in each.payloads}
                for source, segment in segments.items():
                    self.journal.append(segment, (p for each in sound for name, p in each.payloads if name == source))
            for segment in segments.values():
                self.journal.sync(segment)
            told = [(segments[source], payload) for each in sound for source, payload in each.payloads]
            with self._current():
                if self._opened() is store:
                    answers = self._apply(told)
                else:  # another build was put in use meanwhile
                    self._catch_up()
                    answers = [self._standing(segment, payload) for segment, payload in told]
            for each in sound:
                each.answer, answers = answers[: len(each.payloads)], answers[len(each.payloads) :]
        except BaseException as error:
            self.journal.close()  # what it ends with may be half a record
            for each in commits:
                each.answer = each.answer or error
            raise

    def explain(self, left: str, right: str) -> Explanation:
        """Say why two stored records are one party or not.

        Args:
            left: A record as ``source:key``, or a golden id, whose first record is meant.
            right: The other.

        Raises:
            DatadockError: When one is not in the index, or they are of two party types.
        """
        with self._caught_up():
            one, other = self._stored(left), self._stored(right)
            if one.party != other.party:
                raise DatadockError(
                    f"{left} is a {one.party} and {right} a {other.party}",
                    expected="two people or two companies",
                    action="name two records of one party type",
                )
            return self._explained(one, other)

    def _stored(self, name: str) -> Record:
        store = self._opened()
        if is_valid_id(name):
            found = sorted(store.records(store.members(name)), key=lambda r: (r.source, r.source_key))
            if found:
                return found[0]
        source, _, key = name.partition(":")
        record = store.record_of(source, key)
        if record is None:
            raise DatadockError(
                f"{name} is not in the identity index",
                expected="source:key of a record, or a living golden id",
                action="look at its spelling, or run: datadock run",
            )
        return record

    @contextmanager
    def _caught_up(self) -> Iterator[None]:
        """Work on the build in use, with all that was committed; one just made is behind the journal."""
        with self._current():
            behind = self._landings == _NOT_STORED
        if behind:
            with self.journal.locked(), self._current():  # never the other way round: who commits holds the journal
                self._catch_up()
        with self._current():
            yield

    @contextmanager
    def _current(self) -> Iterator[None]:
        """Work on the build in use, with nothing kept in memory that another process has changed since."""
        with self._guard:
            pointed_at = pointed(self.folder)
            while self._store is None or pointed_at != self._pointed:
                try:
                    self._open_build()
                    self._pointed = pointed_at
                except WarehouseError:
                    if pointed_at == pointed(self.folder):
                        raise
                pointed_at = pointed(self.folder)
            seen = int(self._opened().db.execute("pragma data_version").fetchone()[0])
            if seen != self._seen:
                self._take_up()
                self._seen = seen
            yield

    def _open_build(self) -> None:
        path = current_folder(self.folder)
        if path is None:
            raise WarehouseError(
                f"no identity index in {self.folder}",
                expected="what the asset golden/identity_index builds",
                action="run: datadock run",
            )
        if self._store is not None:
            self._store.close()
        self._store, self._seen, self._inputs = Store(path), -1, {}
        if self._store.meta("form") != form():
            raise WarehouseError(
                f"{path} is an identity index of another form", expected=f"form {form()}", action="run: datadock run"
            )

    def _take_up(self) -> None:
        store = self._opened()
        inputs = store.meta("inputs")
        if inputs == self._inputs:  # records were committed, nothing else
            store.read_changes()
            for party in self._parties.values():
                party.forget()
            return
        folder = self.dock.lake.path(MODEL_FOLDER)
        models = [load_model(folder, party, inputs["models"].get(party)) for party in PARTIES]
        without = frozenset(self._singles)
        self._parties = {
            m.party: PartyModel(self._con, m, store, without, inputs["threshold"][m.party])
            for m in models
            if m is not None
        }
        self._decisions = Decisions(store.decisions())
        self._inputs, self._caught, self._landings = inputs, {}, _NOT_STORED

    def _opened(self) -> Store:
        if self._store is None:
            raise WarehouseError("the identity index is closed", action="open it again: IdentityIndex.open(settings)")
        return self._store

    def _read(
        self, source: str, payload: Payload, before: Record | None, rid: int, segment: str | None, received: int
    ) -> tuple[Record, list[int]]:
        """Read a payload as the batch would; return the record, in place of an earlier one, and its keys' numbers."""
        declared = self._sources.declared(source)
        party = declared.party(payload)
        model = self._parties.get(party)
        features = self._cleaner.features(declared.texts(payload), party)
        row = model.row(features) if model else []
        golden = before.golden if before else None
        moment = declared.changed_at(payload, received)
        record = Record(rid, party, source, declared.key(payload) or "", received, moment, golden, segment, row)
        return record, model.keys(row) if model else []

    def _resolved(
        self, record: Record, keys: list[int], before: Record | None
    ) -> tuple[Resolution, dict[int, tuple[str, int]], dict[int, float]]:
        """Decide who a record is, as if it were stored; the decision covers all that hangs on it."""
        store = self._opened()
        model = self._parties.get(record.party)
        weighed, compared = model.candidates(record, keys) if model else ([], 0)
        edges = model.edges(weighed) if model else {}
        view = View(store, self._decisions, record, edges, before.rid if before else None)
        seeds = [record.rid, *(other for other, _ in store.edges(before.rid))] if before else [record.rid]
        decided = decide(view, seeds, model or NO_MODEL, self._singles, self.dock.id_secret)
        golden, cluster = decided[record.rid]
        same = any(label == cluster for rid, (_, label) in decided.items() if rid != record.rid)
        bears = {one.record.rid: decided[one.record.rid][0] if one.record.rid in decided else store.golden(one.record)
                 for one in weighed}  # fmt: skip
        doubtful = any(bears[one.record.rid] != golden and not self._is_decided(record, one.record) for one in weighed)
        certainty: Certainty = "same" if same else "suspect" if doubtful else "new"
        shown = tuple(self._candidate(record, one, bears[one.record.rid]) for one in weighed[:_SHOWN])
        told = golden if same or record.rid != _NOT_STORED else None
        return Resolution(told, certainty, shown, compared, record.rid != _NOT_STORED), decided, edges

    def _is_decided(self, one: Record, other: Record) -> bool:
        return self._decisions.kind((one.source, one.source_key), (other.source, other.source_key)) is not None

    def _candidate(self, record: Record, one: Weighed, golden: str | None) -> Candidate:
        other = one.record
        return Candidate(other.source, other.source_key, golden, one.weight, partial(self._explained, record, other))

    def _explained(self, one: Record, other: Record) -> Explanation:
        party = self._parties[one.party]
        left, right = ((each.source, each.source_key) for each in (one, other))
        return explain_pair(party.scorer, left, right, one.row, other.row, party.threshold)

    def _apply(self, told: Sequence[tuple[Segment, Payload]]) -> list[Resolution]:
        """Put committed payloads into the index, in one transaction."""
        store = self._opened()
        lines = Counter(segment for segment, _ in told)
        with store.transaction():
            resolutions = [self._applied(store, segment, payload) for segment, payload in told]
            for segment, count in lines.items():
                self._caught[segment.name] = size = segment.path.stat().st_size
                store.applied(segment.name, count, size)
        store.checkpoint_beside()
        return resolutions

    def _applied(self, store: Store, segment: Segment, payload: Payload) -> Resolution:
        """Put one payload into the index; one older than the stored version changes nothing."""
        before = self._stored_version(segment.source, payload)
        if before is not None and not self._is_newer(segment, payload, before):
            return self._standing(segment, payload)
        rid = store.next_rid()
        record, keys = self._read(segment.source, payload, before, rid, segment.name, segment.received_at)
        resolution, decided, edges = self._resolved(record, keys, before)
        if before is not None:
            old = self._parties.get(before.party)
            store.remove(before.rid, old.keys(before.row) if old else [])
        store.insert(record, keys, edges.items())
        logged = {one.rid: one.golden for one in store.records([rid for rid in decided if rid != record.rid])}
        given = [(rid, None if logged.get(rid) == golden else golden) for rid, (golden, _) in decided.items()]
        store.give(given)
        return resolution

    def _stored_version(self, source: str, payload: Payload) -> Record | None:
        key = self._sources.declared(source).key(payload)
        return None if key is None else self._opened().record_of(source, key)

    def _standing(self, segment: Segment, payload: Payload) -> Resolution:
        """Say who the stored record is that a payload names."""
        record = self._stored_version(segment.source, payload)
        if record is None:
            raise WarehouseError("a committed record is not in the identity index", action="run: datadock run")
        party = self._parties.get(record.party)
        return self._resolved(record, party.keys(record.row) if party else [], record)[0]

    def _catch_up(self) -> None:
        """Apply what the journal holds and the index does not: of a killed process, or since a build."""
        store = self._opened()
        landings = self.journal.landings()
        for segment in self.journal.segments(landed=landings != self._landings):
            size = segment.path.stat().st_size
            if size <= self._caught.get(segment.name, 0):
                continue
            lines, applied = store.applied_of(segment.name)
            self._caught[segment.name] = size
            if size > applied and not store.is_settled(segment.name):
                self._apply([(segment, payload) for payload in segment.payloads(lines)])
        self._landings = landings

    def _is_newer(self, segment: Segment, payload: Payload, known: Record) -> bool:
        """Whether a committed record is the latest version: what the source says of its time counts, as in staging."""
        changed_at = self._sources.declared(segment.source).changed_at(payload, segment.received_at)
        return (changed_at, segment.received_at) >= (known.changed_at, known.received_at)
