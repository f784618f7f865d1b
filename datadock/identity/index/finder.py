"""``IdentityIndex``: resolves, explains and commits one record.

A commit is on disk in the journal first, then in the index; what a killed process wrote into the one and not into the
other is read from the journal by the next.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial

import duckdb

from datadock.dock import Dock, open_dock
from datadock.errors import DatadockError, WarehouseError
from datadock.identity.compiled.cleaning import Cleaner
from datadock.identity.explanation import Explanation
from datadock.identity.feature_store import stored_kinds
from datadock.identity.features import linking_fields
from datadock.identity.ids import is_valid_id
from datadock.identity.index.decision import NO_MODEL, Decisions, View, decide
from datadock.identity.index.declared import Declared, Payload
from datadock.identity.index.gate import Gate
from datadock.identity.index.journal import Journal, Segment
from datadock.identity.index.party import PartyModel, Weighed
from datadock.identity.index.reasons import explain_pair
from datadock.identity.index.resolution import Candidate, Certainty, Resolution
from datadock.identity.index.store import FORM, Record, Store, current_file, pointed
from datadock.identity.model import MODEL_FOLDER, load_model
from datadock.identity.workspace import PARTIES
from datadock.quality.address import AddressNormaliser
from datadock.refdata import current_reference, current_streets, read_contacts_by
from datadock.settings import Settings

_NOT_STORED = -1
_SHOWN = 5

Key = str | Sequence[str]


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
        self._declared: dict[str, Declared] = {}
        self._gates: dict[str, Gate] = {}
        self._guard = threading.RLock()
        self._store: Store | None = None
        self._parties: dict[str, PartyModel] = {}
        self._decisions = Decisions(())
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
            payload = self._declaration(source).payload(values, _parts(source_key))
            now = time.time_ns() // 1000  # a cluster is founded by a record that is stored, not by a question
            record, keys = self._read(source, payload, _NOT_STORED, None, now)
            return self._resolved(record, keys)[0]

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
        """Store several records, one after the other, with one write to the disk per source; see ``commit``.

        None is stored when one of them is refused.
        """
        with self._guard, self.journal.locked(), self._current():
            self._catch_up()
            written: dict[str, list[Payload]] = {}
            for source, source_key, values in records:
                payload = self._declaration(source).payload(values, _parts(source_key))
                self._judge(source, payload)
                written.setdefault(source, []).append(payload)
            resolutions = []
            for source, payloads in written.items():
                segment = self.journal.segment(source)
                self.journal.append(segment, payloads)  # type: ignore[arg-type]  # a payload is a mapping
                resolutions += self._apply(segment, payloads)
            return resolutions

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
        """Work on the file in use, with all that was committed; a file just built is behind the journal."""
        with self._current():
            if self._landings == _NOT_STORED:
                with self.journal.locked():
                    self._catch_up()
            yield

    @contextmanager
    def _current(self) -> Iterator[None]:
        """Work on the file in use, with nothing kept in memory that another process has changed since."""
        with self._guard:
            pointed_at = pointed(self.folder)
            if self._store is None or pointed_at != self._pointed:
                self._open_file()
                self._pointed = pointed_at
            seen = int(self._opened().db.execute("pragma data_version").fetchone()[0])
            if seen != self._seen:
                self._take_up()
                self._seen = seen
            yield

    def _open_file(self) -> None:
        path = current_file(self.folder)
        if path is None:
            raise WarehouseError(
                f"no identity index in {self.folder}",
                expected="the file that the asset golden/identity_index builds",
                action="run: datadock run",
            )
        if self._store is not None:
            self._store.close()
        self._store, self._seen = Store(path), -1
        if self._store.meta("form") != FORM:
            raise WarehouseError(
                f"{path} is an identity index of another form", expected=f"form {FORM}", action="run: datadock run"
            )

    def _take_up(self) -> None:
        store = self._opened()
        folder = self.dock.lake.path(MODEL_FOLDER)
        inputs = store.meta("inputs")
        models = [load_model(folder, party, inputs["models"].get(party)) for party in PARTIES]
        without = frozenset(self._singles)
        self._parties = {
            m.party: PartyModel(self._con, m, store, without, inputs["threshold"][m.party])
            for m in models
            if m is not None
        }
        self._decisions = Decisions(store.decisions())
        self._caught, self._landings = {}, _NOT_STORED

    def _opened(self) -> Store:
        if self._store is None:
            raise WarehouseError("the identity index is closed", action="open it again: IdentityIndex.open(settings)")
        return self._store

    def _declaration(self, source: str) -> Declared:
        if source not in self._declared:
            self._declared[source] = Declared(self._con, self.dock.catalog.source(source))
        return self._declared[source]

    def _gate(self, source: str) -> Gate:
        if source not in self._gates:
            self._gates[source] = Gate(self._con, self.dock.catalog.source(source))
        return self._gates[source]

    def _judge(self, source: str, payload: Payload) -> None:
        """Refuse what the door of the raw zone would put into quarantine."""
        if self._declaration(source).key(payload) is None:
            raise DatadockError(
                f"the record of {source} has no key",
                expected="a text that names the record in its source",
                action="give it as source_key",
            )
        if not self._declaration(source).is_contact(payload):
            raise DatadockError(
                f"the record is no contact of {source}",
                expected=f"{self._declaration(source).entity.only}, as `only` of its declaration says",
                action="give these places their values, by their names in the record",
            )
        broken = self._gate(source).judge(payload)
        if broken:
            reasons = "; ".join(f"{r.field}: {r.code}, found {r.found}, expected {r.expected}" for r in broken)
            raise DatadockError(
                f"the record breaks the contract of {source}: {reasons}",
                expected=f"what catalog/sources/{source}.yml demands",
                action="mend the values and commit it again; nothing was stored",
            )

    def _read(
        self, source: str, payload: Payload, rid: int, segment: str | None, received: int
    ) -> tuple[Record, list[int]]:
        """Read a payload as the batch would; return the record and the numbers of its keys."""
        declared = self._declaration(source)
        party = declared.party(payload)
        model = self._parties.get(party)
        features = self._cleaner.features(declared.texts(payload), party)
        row = model.row(features) if model else []
        before = self._opened().record_of(source, declared.key(payload) or "")
        golden = before.golden if before else None
        record = Record(rid, party, source, declared.key(payload) or "", received, "", golden, segment, row)
        return record, model.keys(row) if model else []

    def _resolved(
        self, record: Record, keys: list[int]
    ) -> tuple[Resolution, dict[int, tuple[str, int]], dict[int, float]]:
        """Decide who a record is, as if it were stored; the decision covers all that hangs on it."""
        store = self._opened()
        before = store.record_of(record.source, record.source_key) if record.source_key else None
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

    def _apply(self, segment: Segment, payloads: Sequence[Payload]) -> list[Resolution]:
        """Put committed payloads into the index, in one transaction."""
        store = self._opened()
        resolutions = []
        with store.transaction():
            resolutions += [self._applied(store, segment, payload) for payload in payloads]
            size = segment.path.stat().st_size
            store.applied(segment.name, len(payloads), size)
        self._caught[segment.name] = size
        return resolutions

    def _applied(self, store: Store, segment: Segment, payload: Payload) -> Resolution:
        rid = store.next_rid()
        record, keys = self._read(segment.source, payload, rid, segment.name, segment.received_at)
        before = store.record_of(record.source, record.source_key)
        resolution, decided, edges = self._resolved(record, keys)
        if before is not None:
            old = self._parties.get(before.party)
            store.remove(before.rid, old.keys(before.row) if old else [])
        store.insert(record, keys, edges.items())
        logged = {one.rid: one.golden for one in store.records([rid for rid in decided if rid != record.rid])}
        given = [(rid, None if logged.get(rid) == golden else golden) for rid, (golden, _) in decided.items()]
        store.give(given)
        return resolution

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
            if size > applied:
                payloads = [p for p in segment.payloads(lines) if self._is_newer(store, segment, p)]
                self._apply(segment, payloads)
        self._landings = landings

    def _is_newer(self, store: Store, segment: Segment, payload: Payload) -> bool:
        """Whether the index lacks a committed record: the batch may have met it, or a later version."""
        known = store.record_of(segment.source, self._declaration(segment.source).key(payload) or "")
        return known is None or known.received_at < segment.received_at or known.segment == segment.name


def _parts(source_key: Key) -> list[str]:
    if isinstance(source_key, str):
        return source_key.split("|") if source_key else []
    return list(source_key)
