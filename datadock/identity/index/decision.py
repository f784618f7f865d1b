"""The next batch's decision about a few records: components, mean linkage, lasting ids, on what one record touches.

The clustering and the choice of ids are the batch's own; here is only which records they must be asked about, so that
the answer is the one that a look at everything would give.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from datadock.identity.assignment import Bearer, assign_few
from datadock.identity.cluster import Floats, Ints, cluster
from datadock.identity.index.store import Record, Store

_Pair = tuple[tuple[str, str], tuple[str, str]]


class Party(Protocol):
    """What a decision asks of the model of its party type."""

    @property
    def threshold(self) -> float:
        """Bits from which records join."""

    def weigh_inside(self, one: Record, other: Record) -> float:
        """Weigh a pair inside a component."""


class _NoModel:
    """Of a party type that has no model nothing is known for anybody's being one."""

    threshold = 0.0

    def weigh_inside(self, _one: Record, _other: Record) -> float:
        return -1.0


NO_MODEL = _NoModel()


class Decisions:
    """The stewards' decisions, by record.

    Args:
        rows: kind, left source and key, right source and key; of contradicting decisions the latest holds.
    """

    def __init__(self, rows: Iterable[tuple[str, str, str, str, str]]) -> None:
        self._kinds: dict[_Pair, str] = {}
        self._others: dict[tuple[str, str], set[tuple[str, str]]] = {}
        for kind, left_source, left_key, right_source, right_key in rows:
            left, right = (left_source, left_key), (right_source, right_key)
            self._kinds[_pair(left, right)] = kind
            self._others.setdefault(left, set()).add(right)
            self._others.setdefault(right, set()).add(left)

    def kind(self, one: tuple[str, str], other: tuple[str, str]) -> str | None:
        """Return what was decided of a pair, None where nothing was."""
        return self._kinds.get(_pair(one, other))

    def linked(self, record: tuple[str, str]) -> list[tuple[str, str]]:
        """Return the records that a record must be joined with."""
        others = self._others.get(record, set())
        return sorted(other for other in others if self.kind(record, other) == "must_link")

    def about(self, record: tuple[str, str]) -> bool:
        """Tell whether anything was decided of a record."""
        return record in self._others


def _pair(one: tuple[str, str], other: tuple[str, str]) -> _Pair:
    return (one, other) if one <= other else (other, one)


@dataclass
class View:
    """The store as it would be with one record more, in place of its earlier version.

    Attributes:
        store: The store.
        decisions: The stewards' decisions.
        record: The record; None to see the store as it is.
        edges: Its strong pairs: number of the other, weight.
        replaced: Number of its earlier version.
    """

    store: Store
    decisions: Decisions
    record: Record | None = None
    edges: Mapping[int, float] = field(default_factory=dict)
    replaced: int | None = None

    def known(self, rid: int) -> Record | None:
        """Return a record by its number."""
        if self.record is not None and rid == self.record.rid:
            return self.record
        return None if rid == self.replaced else self.store.record(rid)

    def joined(self, record: Record) -> dict[int, float | None]:
        """Return what a record is joined to: number to weight, None where only a decision joins them."""
        own = self.record is not None and record.rid == self.record.rid
        found: dict[int, float | None] = dict(self.edges) if own else dict(self.store.edges(record.rid))
        if self.replaced is not None:
            found.pop(self.replaced, None)
        if self.record is not None and not own and record.rid in self.edges:
            found[self.record.rid] = self.edges[record.rid]
        for key in self.decisions.linked((record.source, record.source_key)):
            other = self._of(key)
            if other is not None and other not in found:
                found[other] = None
        return found

    def _of(self, key: tuple[str, str]) -> int | None:
        if self.record is not None and key == (self.record.source, self.record.source_key):
            return self.record.rid
        found = self.store.record_of(*key)
        return None if found is None or found.rid == self.replaced else found.rid

    def bearers(self, golden: str) -> set[int]:
        """Return the records that the membership log gives a golden id."""
        found = {rid for rid in self.store.bearers(golden) if rid != self.replaced}
        if self.record is not None and self.record.golden == golden:
            found.add(self.record.rid)
        return found


def decide(
    view: View, seeds: Iterable[int], party: Party, singles: Mapping[str, int], secret: str
) -> dict[int, tuple[str, int]]:
    """Decide who some records are, and all whose decision hangs on theirs.

    Args:
        view: The store, with the record that changes it.
        seeds: The records that changed, and those that were joined to what was there before.
        party: Weighs a pair inside a component, and says from which weight records join.
        singles: Number of every source that holds nobody twice.
        secret: The deployment's id secret.

    Returns:
        Number of each record to its golden id and the number of its cluster.
    """
    members, edges = _group(view, seeds)
    if not members:
        return {}
    labels = _clustered(view.decisions, members, edges, party, singles)
    bearers = [
        Bearer(
            (r.source, r.source_key), r.received_at, label, r.golden, tuple(view.store.earlier(r.source, r.source_key))
        )
        for r, label in zip(members, labels, strict=True)
    ]
    golden = assign_few(bearers, secret)
    return {record.rid: (golden[label], label) for record, label in zip(members, labels, strict=True)}


def _group(view: View, seeds: Iterable[int]) -> tuple[list[Record], dict[tuple[int, int], float | None]]:
    """The components of the seeds, and of all that bear a golden id that their records bear or bore."""
    found: dict[int, Record] = {}
    edges: dict[tuple[int, int], float | None] = {}
    asked: set[str] = set()
    waiting = list(seeds)
    while waiting:
        rid = waiting.pop()
        record = None if rid in found else view.known(rid)
        if record is None:
            continue
        found[rid] = record
        for other, weight in view.joined(record).items():
            edges[min(rid, other), max(rid, other)] = weight
            waiting.append(other)
        borne = [record.golden, *view.store.earlier(record.source, record.source_key)]
        for golden in borne:
            if golden is not None and golden not in asked:
                asked.add(golden)
                waiting.extend(view.bearers(golden))
    return sorted(found.values(), key=lambda r: (r.source, r.source_key)), edges


def _clustered(
    decisions: Decisions,
    members: list[Record],
    edges: Mapping[tuple[int, int], float | None],
    party: Party,
    singles: Mapping[str, int],
) -> list[int]:
    """Cluster number of every member."""
    place = {record.rid: number for number, record in enumerate(members)}
    known = [(place[one], place[other], weight) for (one, other), weight in edges.items()]
    decided = any(decisions.about((record.source, record.source_key)) for record in members)
    if len(members) <= 2 and not decided:
        return [0, 0 if known else 1][: len(members)]
    if not decided and _is_agreed(members, known, singles):
        return [0] * len(members)
    strong = [(one, other, weight) for one, other, weight in known if weight is not None]

    def weigh_all(left: Ints, right: Ints) -> Floats:
        return np.array(
            [party.weigh_inside(members[a], members[b]) for a, b in zip(left.tolist(), right.tolist(), strict=True)]
        )

    clustering = cluster(
        len(members),
        np.array([min(one, other) for one, other, _ in strong], dtype=np.int64),
        np.array([max(one, other) for one, other, _ in strong], dtype=np.int64),
        np.array([weight for _, _, weight in strong], dtype=np.float64),
        weigh=weigh_all,
        must=_decided(decisions, members, "must_link") if decided else None,
        never=_decided(decisions, members, "never_link") if decided else None,
        single=np.array([singles.get(record.source, -1) for record in members], dtype=np.int64),
        edge=party.threshold,
    )
    labels: list[int] = clustering.labels.tolist()
    return labels


def _is_agreed(members: list[Record], known: list[tuple[int, int, float | None]], singles: Mapping[str, int]) -> bool:
    """Whether all pairs are strong and no source that holds nobody twice is met twice: then they are one cluster."""
    single = [record.source for record in members if record.source in singles]
    return len(known) == len(members) * (len(members) - 1) // 2 and len(set(single)) == len(single)


def _decided(decisions: Decisions, members: Collection[Record], kind: str) -> tuple[Ints, Ints]:
    keys = [(record.source, record.source_key) for record in members]
    pairs = [
        (one, other)
        for one in range(len(keys))
        if decisions.about(keys[one])
        for other in range(len(keys))
        if one < other or not decisions.about(keys[other])
        if one != other and decisions.kind(keys[one], keys[other]) == kind
    ]
    left, right = [min(pair) for pair in pairs], [max(pair) for pair in pairs]
    return np.array(left, dtype=np.int64), np.array(right, dtype=np.int64)
