"""Why pairs of source records weigh what they weigh, from the stored features and the current model.

The batch's own scoring code weighs them, so that the parts add up to what ``golden/pairs`` stores.
Words are in ``wording``; who is joined to whom through others is in ``connections``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa

from datadock import names
from datadock.catalog.fields import STORED_FROM
from datadock.errors import DatadockError, ModelError
from datadock.identity.comparisons import Comparison
from datadock.identity.engine import compare, level_settings
from datadock.identity.explanation import Evidence, Explanation, Verdict
from datadock.identity.feature_store import load_features, load_records
from datadock.identity.features import LISTS, Features
from datadock.identity.model import Model, load_model, load_term_frequencies
from datadock.identity.normalise import install_macros
from datadock.identity.scoring import weigh
from datadock.identity.trainer import without_shared
from datadock.identity.wording import Facts, evidence, level_name
from datadock.identity.workspace import FEATURES, PARTIES, Workspace
from datadock.warehouse.lake_tables import TABLES

Record = tuple[str, str]
Pair = tuple[Record, Record]
Row = dict[str, Any]

COMPARED: Mapping[str, tuple[str, ...]] = {
    "given_name": ("given",),
    "family_name": ("family_words", "birth_name"),
    "full_name": ("name_words",),
    "email": ("emails",),
    "phone": ("phones",),
    "address": ("house", "street", "postcode", "city"),
    "place": ("postcode", "city"),
}
"""Features behind a comparison, where they are not called as it is."""


def explain(workspace: Workspace, pairs: Iterable[Pair]) -> list[Explanation]:
    """Say why pairs weigh what they weigh.

    Args:
        workspace: The deployment's; features and a model must stand.
        pairs: Two source records each, as (source, source_key).

    Returns:
        One explanation per pair, in the order asked for.

    Raises:
        DatadockError: When a record does not exist, is paired with itself, or the two are a person and a company.
        ModelError: When no model is trained yet.
    """
    asked = list(pairs)
    with workspace.connection() as con:
        known = NamedRecords(con, workspace, {record for pair in asked for record in pair})
        for left, right in asked:
            known.check_pair(left, right)
        found = _explained(known, asked)
    return [found[pair] for pair in asked]


@dataclass(frozen=True)
class Explained:
    """What is known of some pairs.

    Attributes:
        pairs: Explanation of each pair that can be explained.
        values: Per record, comparison to its values in normal form, where there are any.
    """

    pairs: dict[Pair, Explanation]
    values: dict[Record, dict[str, str]]


def explain_known(workspace: Workspace, pairs: Iterable[Pair]) -> Explained:
    """Say the same of those pairs that can be explained; the others (a record that is gone, no model) are left out."""
    asked = list(pairs)
    if not asked:
        return Explained({}, {})
    with workspace.connection() as con:
        known = NamedRecords(con, workspace, {record for pair in asked for record in pair})
        trained = {party for party in PARTIES if load_model(workspace.model_folder, party)}
        sides = {(a, b): (known.parties.get(a), known.parties.get(b)) for a, b in asked if a != b}
        told = _explained(known, [pair for pair, (a, b) in sides.items() if a == b and a in trained])
        return Explained(told, known.values())


def _explained(known: NamedRecords, pairs: list[Pair]) -> dict[Pair, Explanation]:
    found: dict[Pair, Explanation] = {}
    for party in PARTIES:
        mine = [pair for pair in dict.fromkeys(pairs) if known.parties[pair[0]] == party]
        if mine:
            found |= _Weighing(known, party, mine).explanations()
    return found


def values_compared(workspace: Workspace, records: Iterable[Record]) -> dict[Record, dict[str, str]]:
    """Return what is compared of records: per record, comparison to its values in normal form, where there are any.

    Args:
        workspace: The deployment's.
        records: Source records; one that does not exist has no entry.
    """
    with workspace.connection() as con:
        return NamedRecords(con, workspace, set(records)).values()


def verdict_of(weight: float, threshold: float) -> Verdict:
    """Return what a weight alone says of a pair, where records join from a threshold on."""
    return "same" if weight >= threshold else "suspect" if weight >= STORED_FROM else "different"


def unknown_record(source: str, key: str) -> DatadockError:
    """Return the error for a source record that identity does not know."""
    return DatadockError(
        f"there is no contact record {key!r} of {source!r}",
        expected="<source>:<source_key> of a contact that a run has linked, or a golden id",
        action="look for it: datadock contact SOURCE:KEY; a record that has just landed needs: datadock run",
    )


class NamedRecords:
    """Some records of a deployment, loaded by party type into ``dd_person`` and ``dd_company``.

    Attributes:
        con: The connection that holds them.
        workspace: The deployment's.
        parties: Party type of each record that there is.
    """

    def __init__(self, con: duckdb.DuckDBPyConnection, workspace: Workspace, records: set[Record]) -> None:
        self.con, self.workspace = con, workspace
        columns = {"source": [r[0] for r in records], "source_key": [r[1] for r in records]}
        con.register("dd_asked_for", pa.table({name: pa.array(texts, pa.string()) for name, texts in columns.items()}))
        self.loaded = {party: load_records(con, workspace, party, "dd_asked_for") for party in PARTIES}
        self.parties: dict[Record, str] = {}
        for party in PARTIES:
            found = con.execute(f"select source, source_key from dd_{party}").fetchall()
            self.parties |= {(source, key): party for source, key in found}
        self._features: dict[str, Features] = {}
        self._rows: dict[str, dict[Record, Row]] = {}

    def features(self, party: str) -> Features:
        """Return the features of the records of a party type."""
        if party not in self._features:
            self._features[party] = load_features(self.con, self.workspace, self.loaded[party])
        return self._features[party]

    def rows(self, party: str) -> dict[Record, Row]:
        """Return the features of the records of a party type, record by record."""
        if party not in self._rows:
            table = self.con.sql(f"from {self.features(party).table}").to_arrow_table()
            self._rows[party] = {(row["source"], row["source_key"]): row for row in table.to_pylist()}
        return self._rows[party]

    def values(self) -> dict[Record, dict[str, str]]:
        """Return what is compared of the records, as of ``values_compared``."""
        told: dict[Record, dict[str, str]] = {}
        for party in set(self.parties.values()):
            model = load_model(self.workspace.model_folder, party)
            for record, row in self.rows(party).items():
                shown = {c.name: text_of(c.name, row) for c in (model.comparisons if model else ())}
                told[record] = {name: text for name, text in shown.items() if text}
        return told

    def check_pair(self, left: Record, right: Record) -> None:
        """Refuse a pair that cannot be compared.

        Raises:
            DatadockError: When a record does not exist, is paired with itself, or their party types differ.
        """
        for record in (left, right):
            if record not in self.parties:
                raise unknown_record(*record)
        if left == right:
            raise DatadockError(
                f"{left[0]}:{left[1]} stands against itself",
                expected="two different source records",
                action="name another record",
            )
        if self.parties[left] != self.parties[right]:
            raise DatadockError(
                f"{left[0]}:{left[1]} is a {self.parties[left]}, {right[0]}:{right[1]} a {self.parties[right]}",
                expected="two people or two companies: others are never compared, nor joined",
                action="correct the record whose party type is wrong at its source",
            )


class _Weighing:
    """The pairs of one party type, weighed by its model."""

    def __init__(self, known: NamedRecords, party: str, pairs: list[Pair]) -> None:
        self.con, self.workspace, self.pairs = known.con, known.workspace, pairs
        model = load_model(self.workspace.model_folder, party)
        if model is None or not model.comparisons:
            raise ModelError(
                f"no model of {party} records is trained yet",
                expected="the model that a run keeps under golden/model",
                action="run: datadock run",
            )
        self.model: Model = model
        self.rows = known.rows(party)
        install_macros(self.con)
        self.table = without_shared(self.con, known.features(party), model.shared)

    def explanations(self) -> dict[Pair, Explanation]:
        """Return the explanation of every pair."""
        con, model = self.con, self.model
        rids = [sorted((self.rows[left]["rid"], self.rows[right]["rid"])) for left, right in self.pairs]
        con.register("dd_explained", pa.table({"rid_l": [r[0] for r in rids], "rid_r": [r[1] for r in rids]}))
        frequencies = load_term_frequencies(self.workspace.model_folder, model, con)
        weigh(con, model, self.table, "dd_explained", frequencies, "dd_weights")
        weights = self._by_pair("dd_weights")
        terms = {row["rid"]: row for row in con.sql("from dd_weighed").to_arrow_table().to_pylist()}
        compare(con, self.table, "dd_explained", level_settings(model.comparisons), "dd_numbers")
        levels = self._by_pair("dd_numbers")
        holders = self._holders()
        found = {}
        for pair, (low, high) in zip(self.pairs, rids, strict=True):
            row, numbers = weights[low, high], levels[low, high]
            pieces = [
                self._evidence(c, round(numbers[f"mw_{c.name}"]), row, pair, terms[low], holders)
                for c in model.comparisons
            ]
            found[pair] = self._explanation(pair, row, pieces)
        return found

    def _by_pair(self, table: str) -> dict[tuple[int, int], Row]:
        rows = self.con.sql(f"from {table}").to_arrow_table().to_pylist()
        return {(min(row["rid_l"], row["rid_r"]), max(row["rid_l"], row["rid_r"])): row for row in rows}

    def _explanation(self, pair: Pair, row: Row, pieces: list[Evidence]) -> Explanation:
        either, weight = row["household"], row["weight"]
        return Explanation(
            left=pair[0],
            right=pair[1],
            prior=math.log2(self.model.prior / (1 - self.model.prior)),
            evidence=tuple(sorted(pieces, key=lambda piece: -abs(piece.bits))),
            household=-(either if either > 40 else math.log2(1 + 2.0**either)),
            weight=weight,
            probability=1 / (1 + 2.0**-weight),
            verdict=verdict_of(weight, self.workspace.threshold(self.model.party)),
            model=self.model.version,
        )

    def _evidence(
        self, comparison: Comparison, number: int, row: Row, pair: Pair, terms: Row, holders: Mapping[str, int]
    ) -> Evidence:
        name = comparison.name
        sharpened = row.get(f"mw_tf_adj_{name}") or 0.0
        term = next((x.tf for x in comparison.levels if x.name == level_name(comparison, number)), None)
        left, right = (self.rows[record] for record in pair)
        common, discounted = self._in_common(name, left, right)
        facts = Facts(
            known=(bool(text_of(name, left)), bool(text_of(name, right))),
            frequency=terms[f"tf_{term}"] if term else None,
            holders=max((holders.get(value, 0) for value in common), default=None) if number > 1 else None,
            discounted=tuple((name.replace("email", "e-mail"), holders.get(value, 0)) for value in discounted),
        )
        return evidence(comparison, number, row[f"mw_{name}"] + sharpened, facts)

    def _in_common(self, comparison: str, left: Row, right: Row) -> tuple[list[str], list[str]]:
        """E-mails or phones that two records share: those that count, and those that too many others share."""
        feature = f"{comparison}s"
        if feature not in LISTS:
            return [], []
        both = sorted(set(left.get(feature) or ()) & set(right.get(feature) or ()))
        shared = self.model.shared.get(feature, ())
        return [v for v in both if v not in shared], [v for v in both if v in shared]

    def _holders(self) -> dict[str, int]:
        """How many contacts hold each e-mail or phone that some pair has in common."""
        counted: dict[str, int] = {}
        for feature in LISTS:
            pairs = [self._in_common(feature[:-1], self.rows[a], self.rows[b]) for a, b in self.pairs]
            values = sorted({value for both in pairs for part in both for value in part})
            if values:
                counted |= dict(self.con.execute(_holders_sql(self.workspace, feature), [values]).fetchall())
        return counted


def _holders_sql(workspace: Workspace, feature: str) -> str:
    stored = workspace.scan(FEATURES)
    log = workspace.scan_or_empty(names.MEMBERSHIPS, TABLES[names.MEMBERSHIPS])
    return (
        f"with named as (select source, source_key from {stored} where list_has_any({feature}, $1)), "
        f"latest as (select source, source_key, arg_max_null({feature}, generation) as held from {stored} "
        "semi join named using (source, source_key) group by all), "
        "bearers as (select source, source_key, arg_max_null(golden_id, generation) as golden_id "
        f"from {log} semi join named using (source, source_key) group by all) "
        "select value, count(distinct golden_id) from (select golden_id, unnest(held) as value from latest "
        "join bearers using (source, source_key)) where list_contains($1, value) group by value"
    )


def text_of(comparison: str, row: Row) -> str:
    """Values of one record that a comparison looks at, as one text; empty where there are none."""
    parts = [row.get(feature) for feature in COMPARED.get(comparison, (comparison,))]
    texts = [", ".join(part) if isinstance(part, list) else str(part) for part in parts if part]
    return " ".join(dict.fromkeys(texts))
