"""The compiled model of one party type over an index file: candidates of a record, and what they weigh."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import duckdb

from datadock.identity.compiled.cleaning import scored_row
from datadock.identity.compiled.keys import KeyMaker
from datadock.identity.compiled.scorer import Frequency, Scorer
from datadock.identity.index.store import Record, Store
from datadock.identity.model import Model
from datadock.identity.scoring import STORE_ABOVE

_TERMS = 1 << 15
_RECORDS = 1 << 14


@dataclass(frozen=True)
class Weighed:
    """A stored record and its weight against another."""

    record: Record
    weight: float


class PartyModel:
    """Weighs records of one party type.

    Args:
        con: Any DuckDB connection; its parser is used.
        model: The model.
        store: The index file.
        without: Sources that hold nobody twice.
        threshold: Bits from which records join.
    """

    def __init__(
        self, con: duckdb.DuckDBPyConnection, model: Model, store: Store, without: frozenset[str], threshold: float
    ) -> None:
        self.model, self.store, self.without, self.threshold = model, store, without, threshold
        self.columns: tuple[str, ...] = tuple(store.meta(f"columns {model.party}") or ())
        self.shared = {name: frozenset(values) for name, values in model.shared.items()}
        rare: dict[str, float] = store.meta(f"rare {model.party}") or {}
        frequencies = {name: self._frequency(name, rare.get(name, 1e-4)) for name in model.tf_features}
        self.scorer = Scorer(con, model, frequencies, self.columns)
        self._keys = KeyMaker(con, model)
        self._kept: dict[int, Record] = {}

    def row(self, features: Mapping[str, Any]) -> list[Any]:
        """Return the scored features of a record, in the order of the columns."""
        return list(scored_row(features, self.columns, self.shared))

    def keys(self, row: list[Any]) -> list[int]:
        """Return the numbers of a record's keys."""
        return self._keys.keys(dict(zip(self.columns, row, strict=True)))

    def candidates(self, record: Record, keys: list[int]) -> tuple[list[Weighed], int]:
        """Weigh a record against all that share a key.

        Args:
            record: The record; an earlier version of it is no candidate.
            keys: Numbers of its keys.

        Returns:
            Those of at least ``STORE_ABOVE`` bits, the likeliest first, and the number of all.
        """
        found: list[Weighed] = []
        compared = 0
        weigh, own = self.scorer.weigh, (record.source, record.source_key)
        apart = record.source if record.source in self.without else None
        for other in self._records(self.store.rids_by_keys(keys)):
            if other.source == apart or (other.source, other.source_key) == own:
                continue
            compared += 1
            weight = weigh(record.row, other.row)[0]
            if weight >= STORE_ABOVE:
                found.append(Weighed(other, weight))
        found.sort(key=lambda one: (-one.weight, one.record.source, one.record.source_key))
        return found, compared

    def forget(self) -> None:
        """Read every record anew: another process may have changed it."""
        self._kept.clear()

    def _records(self, rids: list[int]) -> list[Record]:
        kept = self._kept
        lacking = [rid for rid in rids if rid not in kept]
        if lacking:
            if len(kept) > _RECORDS:
                kept.clear()
                lacking = rids
            kept.update((record.rid, record) for record in self.store.records(lacking))
        return [kept[rid] for rid in rids if rid in kept]

    def edges(self, weighed: list[Weighed]) -> dict[int, float]:
        """Return the strong pairs among weighed ones: number of the other to weight."""
        return {one.record.rid: one.weight for one in weighed if one.weight >= self.threshold}

    def weigh_inside(self, one: Record, other: Record) -> float:
        """Weigh a pair inside a component: there only contradictions count against it."""
        if not self.model.comparisons:
            return -1.0
        weight, against = self.scorer.weigh(one.row, other.row)
        return max(weight, against) if weight < 0 else weight

    def _frequency(self, feature: str, rare: float) -> Frequency:
        party, store = self.model.party, self.store

        @lru_cache(_TERMS)
        def frequency(value: str | None) -> float:
            found = None if value is None else store.frequency(party, feature, value)
            return rare if found is None else found

        return frequency
