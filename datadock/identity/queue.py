"""The review queue: open suspects in the order in which an answer is worth most, and what reviewers answered.

Only what is asked and in which order; taking an answer is ``decisions``, showing it is the command line's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from datadock.catalog.fields import MODEL
from datadock.identity.decisions import Book
from datadock.identity.explain import Pair, Record
from datadock.identity.ledger import LINKING, MUST, UNSURE, latest_of_pairs, withdrawals
from datadock.identity.suspects import open_suspects
from datadock.settings import Settings
from datadock.warehouse.publish import connect_published

_PAIR = ["left_source", "left_key", "right_source", "right_key"]


@dataclass(frozen=True)
class Question:
    """Are these two records one party?

    Attributes:
        left: One record.
        right: The other.
        left_id: Golden id of its contact.
        right_id: Golden id of the other's.
        pairs: Open suspects between the two contacts; the strongest is asked first.
        records: Records of the smaller contact.
        orders: Its orders.
        value: Records and orders that an answer is expected to move.
        unsure: Whether a reviewer could not say.
        weight: Bits; not to be shown before the answer.
        probability: The same as a probability.
    """

    left: Record
    right: Record
    left_id: str
    right_id: str
    pairs: int
    records: int
    orders: int
    value: float
    unsure: bool
    weight: float
    probability: float


def open_questions(book: Book, orders: Mapping[str, int]) -> list[Question]:
    """Return what is to be reviewed, most valuable first; what reviewers were unsure of comes last.

    The value of a question is what its answer is expected to move. Suspects are apart today, so "different" moves
    nothing and "same" moves the smaller contact, its records and orders, to the other's id; how likely that is, is
    the pair's probability. It grows towards the threshold, and is highest for pairs that are strong by themselves
    and held apart by the rest of their contacts. Of several suspects between two contacts one is asked at a time.

    Args:
        book: Ledger and memberships of the moment.
        orders: Orders by golden id, as of ``count_orders``.
    """
    open_ = _undecided(book)
    if not open_.height:
        return []
    counted = pl.DataFrame(list(orders.items()), schema={"golden_id": pl.String, "orders": pl.UInt32}, orient="row")
    sizes = book.current.group_by("golden_id").agg(records=pl.len()).join(counted, on="golden_id", how="left")
    for side in ("left", "right"):
        open_ = open_.join(sizes.select(_named(side)), on=f"{side}_id")
    left, right = pl.col("left_records") + pl.col("left_orders"), pl.col("right_records") + pl.col("right_orders")
    smaller = pl.when(left <= right)
    ranked = open_.with_columns(
        records=smaller.then("left_records").otherwise("right_records"),
        orders=smaller.then("left_orders").otherwise("right_orders"),
        probability=1 / (1 + (2.0 ** -pl.col("weight"))),
    ).with_columns(value=pl.col("probability") * (pl.col("records") + pl.col("orders")))
    ranked = ranked.sort(["unsure", "value", *_PAIR], descending=[False, True, False, False, False, False])
    return [
        Question(
            (row["left_source"], row["left_key"]), (row["right_source"], row["right_key"]),
            **{name: row[name] for name in _FACTS},
        )
        for row in ranked.iter_rows(named=True)
    ]  # fmt: skip


_FACTS = ("left_id", "right_id", "pairs", "records", "orders", "value", "unsure", "weight", "probability")


def count_orders(settings: Settings) -> dict[str, int]:
    """Return the number of orders of every golden id that has some, as published."""
    with connect_published(settings, lake=False) as con:
        return dict(con.execute("select golden_id, count(*) from marts.fct_order group by golden_id").fetchall())


def side_by_side(settings: Settings, left: Record, right: Record) -> list[tuple[str, str, str]]:
    """Return the fields of two records as their sources say them: name, left value, right value; empty ones left out.

    Args:
        settings: The deployment; its published copy is read.
        left: One record.
        right: The other.
    """
    fields = ", ".join(f"{name}::varchar as {name}" for name in MODEL["contact"])
    rows: list[dict[str, Any]] = []
    with connect_published(settings, lake=False) as con:
        for source, key in (left, right):
            query = f"select {fields} from intermediate.int_source_contact where source = $1 and source_key = $2"
            found = con.execute(query, [source, key]).fetchall()
            rows.append(dict(zip(MODEL["contact"], found[0], strict=True)) if found else {})
    told = [(name, rows[0].get(name) or "", rows[1].get(name) or "") for name in MODEL["contact"]]
    return [field for field in told if field[1] or field[2]]


def reviewed(decisions: pl.DataFrame) -> pl.DataFrame:
    """Return what reviewers answered, for judging the linking by it.

    Args:
        decisions: The ledger, as of ``ledger.read_decisions``.

    Returns:
        left_source, left_key, right_source, right_key, same: the last answer on each pair that was not taken back;
        what a reviewer was unsure of is left out.
    """
    return (
        latest_of_pairs(_answers(decisions))
        .filter(pl.col("kind").is_in(LINKING))
        .select(*_PAIR, same=pl.col("kind") == MUST)
        .sort(_PAIR)
    )


def _named(side: str) -> list[pl.Expr]:
    """What is known of the contact of one side, under its name."""
    known = [pl.col("golden_id").alias(f"{side}_id"), pl.col("records").alias(f"{side}_records")]
    return [*known, pl.col("orders").fill_null(0).alias(f"{side}_orders")]


def _answers(decisions: pl.DataFrame) -> pl.DataFrame:
    taken_back = pl.col("decision_id").is_in(withdrawals(decisions).implode())
    return decisions.filter((pl.col("action") == "review") & ~taken_back)


def _undecided(book: Book) -> pl.DataFrame:
    """One open suspect per two contacts that no decision joins or parts: golden ids, whether seen, how many."""
    suspects = open_suspects(book.workspace)
    rows = [(*left, *right, weight) for (left, right), weight in suspects.items()]
    open_ = pl.DataFrame(rows, schema={**dict.fromkeys(_PAIR, pl.String), "weight": pl.Float64}, orient="row")
    decided = {_key(row) for row in book.standing.iter_rows(named=True)}
    seen = latest_of_pairs(_answers(book.decisions)).filter(pl.col("kind") == UNSURE)
    unsure = {_key(row) for row in seen.iter_rows(named=True)}
    keys = [_key(row) for row in open_.iter_rows(named=True)]
    open_ = open_.with_columns(unsure=pl.Series([key in unsure for key in keys], dtype=pl.Boolean)).filter(
        pl.Series([key not in decided for key in keys], dtype=pl.Boolean)
    )
    open_, joining = (_with_contacts(book, frame) for frame in (open_, book.standing.filter(pl.col("kind") == MUST)))
    open_ = open_.join(joining.select("low", "high"), on=["low", "high"], how="anti")
    return (
        open_.filter(pl.col("left_id") != pl.col("right_id"))
        .with_columns(pairs=pl.len().over("low", "high"))
        .sort(["unsure", "weight", *_PAIR], descending=[False, True, False, False, False, False])
        .unique(["low", "high"], keep="first", maintain_order=True)
    )


def _with_contacts(book: Book, pairs: pl.DataFrame) -> pl.DataFrame:
    """Add the golden ids of both sides, and the two in order; a pair of which a record is gone is left out."""
    for side in ("left", "right"):
        ids = book.current.rename({"source": f"{side}_source", "source_key": f"{side}_key", "golden_id": f"{side}_id"})
        pairs = pairs.join(ids, on=[f"{side}_source", f"{side}_key"], maintain_order="left")
    ends = "left_id", "right_id"
    return pairs.with_columns(low=pl.min_horizontal(*ends), high=pl.max_horizontal(*ends))


def _key(row: dict[str, Any]) -> frozenset[Record]:
    left, right = (row["left_source"], row["left_key"]), (row["right_source"], row["right_key"])
    pair: Pair = (left, right)
    return frozenset(pair)
