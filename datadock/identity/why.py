"""Why two records or contacts are one party or not: all that a steward asks before deciding, in one answer.

Puts together what ``explain``, ``connections`` and ``decisions`` know; adds no rule of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import polars as pl

from datadock.errors import DatadockError
from datadock.identity.connections import Link, between, chain, decisions_between
from datadock.identity.decisions import Book, Side
from datadock.identity.explain import Record, values_compared
from datadock.identity.explanation import Explanation
from datadock.identity.ledger import NEVER
from datadock.identity.wording import household_words


@dataclass(frozen=True)
class Why:
    """Why two are one party or not.

    Attributes:
        left: What was named first, and its contact.
        right: What was named second.
        explanation: The evidence; of contacts that of the weightiest pair between them.
        values: Comparison to what is compared of the left and of the right record of that pair.
        pairs: Number of pairs looked at.
        mean: Their mean weight, each within what one pair may say (bits).
        chain: How two records of one contact hang together that their own weight does not join; else empty.
        decisions: Decisions that stand between the two, latest first.
        held_apart: Why a pair that is strong by itself is in two contacts all the same; else empty.
    """

    left: Side
    right: Side
    explanation: Explanation
    values: dict[str, tuple[str, str]]
    pairs: int
    mean: float
    chain: tuple[Link, ...]
    decisions: tuple[dict[str, Any], ...]
    held_apart: str = ""

    @property
    def is_one(self) -> bool:
        """Whether the two are one contact today."""
        return self.left.golden_id == self.right.golden_id

    def lines(self) -> list[tuple[str, str, str]]:
        """Return what is said, with the values of both sides: evidence, then what every pair starts with."""
        told = self.explanation
        said = [(piece.words, *self.values.get(piece.comparison, ("", ""))) for piece in told.evidence]
        return [*said, (household_words(told.household), "", ""), (f"any two records: {told.prior:+.1f}", "", "")]

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON."""
        return {**asdict(self), "is_one": self.is_one}


def why(book: Book, left: str, right: str) -> Why:
    """Say why two records or contacts are one party or not.

    Args:
        book: Ledger and memberships of the moment.
        left: SOURCE:KEY or a golden id.
        right: Another one.

    Raises:
        DatadockError: When one does not exist, both are the same, or a person meets a company.
        ModelError: When no model is trained yet.
    """
    one, other = book.side(left), book.side(right)
    right_records = [record for record in other.scope if record not in one.scope]
    if not right_records:
        raise DatadockError(
            f"{left} and {right} are the same",
            expected="two different records, or two contacts",
            action=f"see what the contact is made of: datadock contact {one.golden_id}",
        )
    found = between(book.workspace, one.scope, right_records)
    pair = (found.strongest.left, found.strongest.right)
    links: Sequence[Link] = ()
    strong = found.strongest.verdict == "same"
    if one.golden_id == other.golden_id and not strong:
        links = chain(book.workspace, one.records, *pair)
    return Why(
        one,
        other,
        found.strongest,
        _values(book, *pair),
        found.pairs,
        found.mean,
        tuple(links),
        tuple(decisions_between(book.standing, one.scope, right_records)),
        _held_apart(book, one, other) if strong and one.golden_id != other.golden_id else "",
    )


def _held_apart(book: Book, one: Side, other: Side) -> str:
    """Say what keeps two contacts apart of which a pair would join: a decision, a source, or their other pairs."""
    refused = book.standing.filter(pl.col("kind") == NEVER)
    if decided := decisions_between(refused, one.records, other.records):
        return f"decision {decided[0]['decision_id']}: {decided[0]['reason']}"
    without = {source.name for source in book.workspace.catalog.sources.values() if source.deduplicated}
    both = {source for source, _ in one.records} & {source for source, _ in other.records} & without
    if both:
        return f"{sorted(both)[0]} is declared to hold nobody twice, and both contacts have a record of it"
    whole = between(book.workspace, one.records, other.records)
    threshold = book.workspace.threshold(whole.strongest.model.partition("-")[0])
    if whole.mean >= threshold:
        return (
            "the pair, or what it is made of, is newer than the last run, or other contacts are nearer to one of them"
        )
    return (
        f"the {whole.pairs} pairs of the two contacts weigh {whole.mean:+.1f} in the mean, less than {threshold:+.1f}"
    )


def _values(book: Book, left: Record, right: Record) -> dict[str, tuple[str, str]]:
    told = values_compared(book.workspace, (left, right))
    sides = told.get(left, {}), told.get(right, {})
    return {name: (sides[0].get(name, ""), sides[1].get(name, "")) for name in {*sides[0], *sides[1]}}
