"""A few golden contacts from the inside: which records, and what is known between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from datadock.catalog.fields import STORED_FROM
from datadock.identity.ledger import read_decisions, standing
from datadock.identity.partition import PartyClusters
from datadock.reports.graphs import Link, cluster_graph
from datadock.reports.reading import Reading, Row

_DRAWN = 40
"""Records beyond which a contact is too large to be drawn as a ring."""

_VALUES = {
    "name": "coalesce(full_name, nullif(trim(concat_ws(' ', given_name, family_name)), ''), organisation_name)",
    "born": "birth_date::varchar",
    "e-mail": "email",
    "phone": "coalesce(mobile, phone)",
    "address": "nullif(trim(concat_ws(' ', address_line, postcode, city)), '')",
}
_RECORDS = "intermediate.int_source_contact"


def studio(
    reading: Reading, parties: Sequence[PartyClusters], members: pl.DataFrame, threshold: dict[str, float]
) -> list[Row]:
    """Return some golden contacts of each party type, drawn: the largest, the most weakly held, and some by chance.

    Args:
        reading: One look at the deployment.
        parties: Party types, opened.
        members: source, source_key, golden_id of every record.
        threshold: Party type to bits.
    """
    chosen = [one for party in parties for one in _chosen(party, members)]
    values = _values(reading, [one.records for one in chosen])
    decided = standing(read_decisions(parties[0].workspace)) if parties else pl.DataFrame()
    return [_drawn(reading, one, values, decided, threshold[one.party.party]) for one in chosen]


@dataclass(frozen=True)
class _Contact:
    """A golden contact that is drawn: why this one, its records, and the stored pairs between them."""

    party: PartyClusters
    golden_id: str
    why: str
    records: pl.DataFrame
    inside: pl.DataFrame


def _chosen(party: PartyClusters, members: pl.DataFrame) -> list[_Contact]:
    ids = party.records.select("rid", "source", "source_key").join(members, on=["source", "source_key"])
    if not ids.height:
        return []
    left, right = (ids.select(pl.col("rid").alias(rid), pl.col("golden_id").alias(own)) for rid, own in (
        ("rid_l", "golden_id"), ("rid_r", "other")))  # fmt: skip
    inside = party.pairs.join(left, on="rid_l").join(right, on="rid_r").filter(pl.col("golden_id") == pl.col("other"))
    held = (
        ids.group_by("golden_id")
        .agg(n=pl.len().cast(pl.Int64))
        .join(inside.group_by("golden_id").agg(known=pl.len(), bits=pl.col("weight").sum()), on="golden_id", how="left")
        .with_columns(possible=pl.col("n") * (pl.col("n") - 1) // 2, known=pl.col("known").fill_null(0))
        .filter((pl.col("n") >= 3) & (pl.col("n") <= _DRAWN))
        .with_columns(
            mean=(pl.col("bits").fill_null(0) + (pl.col("possible") - pl.col("known")) * STORED_FROM)
            / pl.col("possible")
        )
    )
    chosen: dict[str, str] = {}
    orders: tuple[tuple[str, int, Any], ...] = (
        ("largest", 2, held.sort("n", "golden_id", descending=[True, False])),
        ("weakly held", 2, held.sort("mean", "golden_id")),
        ("by chance", 2, held.sort(pl.col("golden_id").hash())),
    )
    for why, count, order in orders:
        fresh = [golden for golden in order["golden_id"] if golden not in chosen]
        chosen |= dict.fromkeys(fresh[:count], why)
    return [
        _Contact(
            party,
            golden,
            why,
            ids.filter(pl.col("golden_id") == golden).sort("source", "source_key"),
            inside.filter(pl.col("golden_id") == golden),
        )
        for golden, why in chosen.items()
    ]


def _drawn(
    reading: Reading, one: _Contact, values: dict[tuple[str, str], Row], decided: pl.DataFrame, threshold: float
) -> Row:
    mine, edges = one.records, one.inside
    place = {rid: n for n, rid in enumerate(mine["rid"])}
    links = [Link(place[low], place[high], bits) for low, high, bits in edges.select("rid_l", "rid_r", "weight").rows()]
    forced = one.party.pairs_by_rid(decided.filter(pl.col("kind") == "must_link")).select("low", "high").rows()
    links += [Link(place[low], place[high], 0.0, decided=True) for low, high in forced if {low, high} <= place.keys()]
    possible = mine.height * (mine.height - 1) // 2
    weights = edges["weight"].to_list()
    return {
        "golden_id": one.golden_id,
        "why": one.why,
        "party": one.party.party,
        "records": [
            {
                "source": source,
                "key": reading.key(key),
                **{name: reading.personal(values.get((source, key), {}).get(name)) for name in _VALUES},
            }
            for source, key in _keys(mine)
        ],
        "possible": possible,
        "strong": sum(bits >= threshold for bits in weights),
        "weakest": min(weights, default=None),
        "picture": cluster_graph([f"{s} {reading.key(k)}" for s, k in _keys(mine)], links, threshold),
    }


def _values(reading: Reading, contacts: list[pl.DataFrame]) -> dict[tuple[str, str], Row]:
    """What the records of the drawn contacts say, in one look at all that there are."""
    keys = [key for records in contacts for key in _keys(records)]
    if not keys:
        return {}
    columns = ", ".join(f'{sql} as "{name}"' for name, sql in _VALUES.items())
    listed = ", ".join(["(?, ?)"] * len(keys))
    found = reading.rows(
        f"select source, source_key, {columns} from {_RECORDS} where (source, source_key) in ({listed})",
        _RECORDS, values=[value for key in keys for value in key],
    )  # fmt: skip
    return {(row["source"], row["source_key"]): row for row in found}


def _keys(records: pl.DataFrame) -> list[tuple[str, str]]:
    return [(source, key) for source, key in records.select("source", "source_key").iter_rows()]
