"""Which golden id each cluster bears: ids follow the largest overlap, ties by age.

Pure functions over columns: clusters and the ids that their records bore before. A cluster without
an id gets back a retired one that its own records bore, or else a fresh one derived from its founder.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import polars as pl

from datadock.identity.ids import derive_id, derive_ids


def assign_ids(
    records: pl.DataFrame, earlier: pl.DataFrame, secret: str, ever_used: Callable[[pl.Series], pl.Series]
) -> pl.DataFrame:
    """Give every cluster its golden id.

    Args:
        records: One row per record: source, source_key, received_at, cluster, and previous (the golden id
            that it bears or last bore, null for a new record).
        earlier: Golden ids that records bore before those: source, source_key, golden_id.
        secret: The deployment's id secret.
        ever_used: Gives those of some ids that were ever used; asked only when fresh ids are needed.

    Returns:
        The records with their golden_id.
    """
    kept = _by_overlap(records.select("cluster", pl.col("previous").alias("golden_id")), pl.Series([], dtype=pl.String))
    homeless = records.join(kept, on="cluster", how="anti")
    if homeless.height and earlier.height:
        before = homeless.select("source", "source_key", "cluster").join(earlier, on=["source", "source_key"])
        taken = kept["golden_id"]
        kept = pl.concat([kept, _by_overlap(before.select("cluster", "golden_id"), taken)])
        homeless = records.join(kept, on="cluster", how="anti")
    if homeless.height:
        kept = pl.concat([kept, _fresh(homeless, secret, ever_used)])
    return records.join(kept, on="cluster", how="left", maintain_order="left")


def _by_overlap(bearers: pl.DataFrame, taken: pl.Series) -> pl.DataFrame:
    """Match clusters and ids: each the other's largest overlap, in rounds; of equals the oldest id wins."""
    open_pairs = (
        bearers.drop_nulls("golden_id")
        .filter(~pl.col("golden_id").is_in(taken.implode()))
        .group_by("cluster", "golden_id")
        .agg(shared=pl.len())
        .sort(["shared", "golden_id", "cluster"], descending=[True, False, False])
    )
    found = [pl.DataFrame(schema={"cluster": bearers.schema["cluster"], "golden_id": pl.String})]
    while open_pairs.height:
        best = open_pairs.with_row_index("place").filter(
            (pl.col("place") == pl.col("place").min().over("cluster"))
            & (pl.col("place") == pl.col("place").min().over("golden_id"))
        )
        found.append(best.select("cluster", "golden_id"))
        open_pairs = open_pairs.join(best, on="cluster", how="anti").join(best, on="golden_id", how="anti")
        open_pairs = open_pairs.sort(["shared", "golden_id", "cluster"], descending=[True, False, False])
    return pl.concat(found)


def _fresh(homeless: pl.DataFrame, secret: str, ever_used: Callable[[pl.Series], pl.Series]) -> pl.DataFrame:
    founders = (
        homeless.select("cluster", "source", "source_key", "received_at")
        .sort("received_at", "source", "source_key")
        .unique("cluster", keep="first", maintain_order=True)
    )
    moments = founders["received_at"].dt.epoch("us").to_numpy()
    given = derive_ids(secret, founders["source"].to_list(), founders["source_key"].to_list(), moments)
    fresh = pl.Series(given, dtype=pl.String)
    again = (fresh.is_in(ever_used(fresh).implode()) | ~fresh.is_first_distinct()).arg_true().to_list()
    if again:
        taken = set(given)
        for place in again:
            source, key, received = founders.row(place)[1:]
            nonce = 1
            while (identifier := derive_id(secret, source, key, received, nonce)) in taken or len(
                ever_used(pl.Series([identifier]))
            ):
                nonce += 1
            taken.add(identifier)
            given[place] = identifier
    return founders.select("cluster", golden_id=pl.Series(given, dtype=pl.String))


@dataclass(frozen=True)
class Bearer:
    """A record whose cluster asks for an id.

    Attributes:
        key: Its source and key.
        received_at: When it was received, microseconds since 1970 UTC.
        cluster: Number of its cluster; clusters are numbered in the order of their smallest keys.
        previous: Golden id that it bears or last bore, None for a new record.
        earlier: Golden ids that it bore before.
    """

    key: tuple[str, str]
    received_at: int
    cluster: int
    previous: str | None
    earlier: tuple[str, ...] = ()


def assign_few(records: Sequence[Bearer], secret: str) -> dict[int, str]:
    """Give a handful of clusters their golden ids: as ``assign_ids``, where its frames cost more than the work.

    Args:
        records: All records of the clusters, and all that bear or bore one of their ids.
        secret: The deployment's id secret.

    Returns:
        Cluster to golden id.
    """
    kept: dict[int, str] = {}
    _overlap_few(((r.cluster, r.previous) for r in records if r.previous is not None), kept)
    _overlap_few(((r.cluster, golden) for r in records if r.cluster not in kept for golden in r.earlier), kept)
    used = {golden for r in records for golden in (r.previous, *r.earlier) if golden is not None}
    founders: dict[int, Bearer] = {}
    for record in sorted(records, key=lambda r: (r.received_at, r.key)):
        if record.cluster not in kept:
            founders.setdefault(record.cluster, record)
    for number, founder in founders.items():
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=founder.received_at)
        nonce = 0
        while (fresh := derive_id(secret, *founder.key, moment, nonce)) in used:
            nonce += 1
        used.add(fresh)
        kept[number] = fresh
    return kept


def _overlap_few(bearers: Iterable[tuple[int, str]], kept: dict[int, str]) -> None:
    """``_by_overlap`` for a handful of bearers; what is matched is added to ``kept``."""
    taken = set(kept.values())
    shared: dict[tuple[int, str], int] = {}
    for pair in bearers:
        if pair[1] not in taken:
            shared[pair] = shared.get(pair, 0) + 1
    order = sorted(shared, key=lambda pair: (-shared[pair], pair[1], pair[0]))
    while order:
        best: list[tuple[int, str]] = []
        clusters, ids = set(), set()
        for number, golden in order:
            if number not in clusters and golden not in ids:
                best.append((number, golden))
            clusters.add(number)
            ids.add(golden)
        kept.update(best)
        done, given = {number for number, _ in best}, {golden for _, golden in best}
        order = [pair for pair in order if pair[0] not in done and pair[1] not in given]


def membership_changes(assigned: pl.DataFrame, current: pl.DataFrame, decided: pl.DataFrame) -> pl.DataFrame:
    """What the membership log must be told.

    Args:
        assigned: source, source_key, golden_id of every record there is.
        current: source, source_key, golden_id (null where removed) as the log has it.
        decided: source, source_key of records that a decision of this run touches.

    Returns:
        source, source_key, golden_id, cause; only records whose golden id moved.
    """
    keys = ["source", "source_key"]
    both = assigned.select(*keys, "golden_id").join(
        current.select(*keys, previous="golden_id", known=pl.lit(value=True)), on=keys, how="full", coalesce=True
    )
    moved = both.filter(
        pl.col("golden_id").ne_missing(pl.col("previous"))
        & ~(pl.col("golden_id").is_null() & pl.col("known").is_null())
    )
    living = assigned.select(golden_id="golden_id").unique()
    older = current.drop_nulls("golden_id").select("golden_id").unique()
    moved = (
        moved.join(living.select(previous="golden_id", lives=pl.lit(value=True)), on="previous", how="left")
        .join(older.select("golden_id", stood=pl.lit(value=True)), on="golden_id", how="left")
        .join(decided.select(*keys, by_decision=pl.lit(value=True)).unique(), on=keys, how="left")
    )
    return moved.select(
        *keys,
        "golden_id",
        cause=pl.when(pl.col("golden_id").is_null())
        .then(pl.lit("removed"))
        .when(pl.col("by_decision"))
        .then(pl.lit("decision"))
        .when(pl.col("previous").is_null())
        .then(pl.when(pl.col("stood")).then(pl.lit("joined")).otherwise(pl.lit("created")))
        .when(pl.col("lives"))
        .then(pl.lit("split"))
        .otherwise(pl.lit("merged")),
    ).sort(keys)
