"""Decisions of stewards: what is one party, what never is, and taking either back.

A decision is worked out first (``Book``: which pairs of source records, and what it replaces) and
taken afterwards (``take``), so that it can be previewed. It names source records, never golden ids,
and the next run applies it.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import product
from typing import Any

import polars as pl

from datadock import signed
from datadock.errors import DatadockError
from datadock.identity.connections import decisions_between
from datadock.identity.explain import NamedRecords, Pair, Record, unknown_record
from datadock.identity.ids import is_valid_id
from datadock.identity.ledger import (
    MUST,
    NEVER,
    UNSURE,
    WITHDRAWN,
    append_rows,
    read_decisions,
    standing,
    withdrawals,
)
from datadock.identity.lineage import derive_redirects
from datadock.identity.memberships import current_memberships, read_log
from datadock.identity.workspace import Workspace


@dataclass(frozen=True)
class Side:
    """One contact as a steward named it.

    Attributes:
        reference: What was given: SOURCE:KEY or a golden id.
        golden_id: The id that its records bear today.
        records: All source records of the contact.
        named: The record that was named; of a golden id its first.
        whole: Whether the contact was named, not one record of it.
    """

    reference: str
    golden_id: str
    records: tuple[Record, ...]
    named: Record
    whole: bool

    @property
    def scope(self) -> tuple[Record, ...]:
        """The records that a decision is about: of a golden id all of them, else the one that was named."""
        return self.records if self.whole else (self.named,)


@dataclass(frozen=True)
class Row:
    """One pair of a decision: its kind, its two records, and the act that it comes from."""

    kind: str
    left: Record
    right: Record
    action: str


@dataclass(frozen=True)
class Proposal:
    """A decision that was worked out and not taken yet.

    Attributes:
        action: merge, split, refuse, review or withdraw.
        rows: What would be written.
        replaces: Rows of the ledger that hold today of these pairs and would not any more.
        withdraws: Id of the decision that is taken back, else empty.
        revives: For a withdrawal, rows of the ledger that would hold again.
    """

    action: str
    rows: tuple[Row, ...]
    replaces: tuple[dict[str, Any], ...] = ()
    withdraws: str = ""
    revives: tuple[dict[str, Any], ...] = ()


class Book:
    """The ledger and the memberships of a moment, and the decisions that can be taken on them.

    Args:
        workspace: The deployment's.
    """

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.log = read_log(workspace)
        self.decisions = read_decisions(workspace)
        self.standing = standing(self.decisions)

    @cached_property
    def current(self) -> pl.DataFrame:
        """Columns source, source_key, golden_id of every source record there is."""
        return current_memberships(self.log).drop_nulls("golden_id")

    def golden_id_of(self, record: Record) -> str | None:
        """Return the golden id that a source record bears today; None where there is no such record."""
        found = self.current.filter((pl.col("source") == record[0]) & (pl.col("source_key") == record[1]))
        return str(found["golden_id"][0]) if found.height else None

    def members_of(self, golden_id: str) -> tuple[Record, ...]:
        """Return the source records of a golden id, sorted; none where it does not live."""
        found = self.current.filter(pl.col("golden_id") == golden_id).sort("source", "source_key")
        return tuple((source, key) for source, key, _ in found.iter_rows())

    def side(self, reference: str) -> Side:
        """Return the contact that a reference names today.

        Args:
            reference: SOURCE:KEY, or a golden id, live or former.

        Raises:
            DatadockError: When there is no such record or id.
        """
        source, colon, key = reference.partition(":")
        golden = self.golden_id_of((source, key)) if colon else self._live(reference)
        if golden is None:
            raise unknown_record(source, key)
        members = self.members_of(golden)
        return Side(reference, golden, members, (source, key) if colon else members[0], whole=not colon)

    def _live(self, golden_id: str) -> str:
        if self.members_of(golden_id):
            return golden_id
        moved = derive_redirects(self.log).filter(pl.col("old_id") == golden_id)
        if moved.height:
            return str(moved["new_id"][0])
        raise DatadockError(
            f"no contact has the id {golden_id}" + ("" if is_valid_id(golden_id) else ": it is mistyped"),
            expected="SOURCE:KEY, or DK and 27 characters, as they stand in golden tables",
            action=f"see what became of it: datadock identity history {golden_id}",
        )

    def merge(self, references: Sequence[str]) -> Proposal:
        """Work out that records or contacts are one party.

        Of a record only it is tied, and the model sees what belongs to it; of a golden id all records are, each to
        one of the first. Two records of one contact can be tied as well: they will not part again.

        Raises:
            DatadockError: When a record or id does not exist, is named against itself, or people and companies mix.
        """
        sides = [self.side(reference) for reference in references]
        self._check_sides(sides)
        first = sides[0]
        pairs: list[Pair] = []
        for other in sides[1:]:
            if other.golden_id == first.golden_id and (first.whole or other.whole):
                raise DatadockError(
                    f"{first.reference} and {other.reference} are one contact already: {first.golden_id}",
                    expected="two contacts; or two records of one contact, to keep it from parting",
                    action=f"see its records: datadock contact {first.golden_id}",
                )
            pairs += [(first.named, record) for record in (other.named, *other.scope)]
            pairs += [(record, other.named) for record in first.scope]
        together = {record for side in sides for record in side.scope}
        refused = self.standing.filter(pl.col("kind") == NEVER)
        pairs += [_pair(row) for row in decisions_between(refused, together, together)]
        return self._proposal("merge", MUST, pairs)

    def split(self, references: Sequence[str]) -> Proposal:
        """Work out that some records of a contact are another party than the rest of it.

        Raises:
            DatadockError: When a record does not exist, the records are of several contacts, or nothing is left over.
        """
        sides = [self.side(reference) for reference in references]
        whole = next((side for side in sides if side.whole), None)
        if whole is not None:
            raise DatadockError(
                f"{whole.reference} names a contact, not the records to part from it",
                expected="SOURCE:KEY of one or more of its records",
                action=f"see its records: datadock contact {whole.reference}",
            )
        if len({side.golden_id for side in sides}) > 1:
            raise DatadockError(
                f"these records are of {len({side.golden_id for side in sides})} contacts already",
                expected="records of one contact, to be parted from the rest of it",
                action="part one contact at a time; to keep two contacts apart: datadock identity refuse A B",
            )
        group = {side.named for side in sides}
        rest = [record for record in sides[0].records if record not in group]
        if not rest:
            raise DatadockError(
                f"{references[0]} is all there is of its contact: nothing is left to part it from",
                expected="some records of a contact, not all of them",
                action="to take back a merge that no run has applied yet: datadock identity withdraw DECISION",
            )
        return self._proposal("split", NEVER, dict.fromkeys(product(sorted(group), rest)))

    def refuse(self, left: str, right: str) -> Proposal:
        """Work out that two records are never one party; of golden ids, no record of one is with any of the other.

        Raises:
            DatadockError: When a record or id does not exist, or both are of one contact.
        """
        one, other = self.side(left), self.side(right)
        self._check_sides([one, other])
        if one.golden_id == other.golden_id:
            raise DatadockError(
                f"{left} and {right} are one contact today: {one.golden_id}",
                expected="records of two contacts, to be kept apart",
                action=f"to part them: datadock identity split {right}",
            )
        return self._proposal("refuse", NEVER, product(one.scope, other.scope))

    def answer(self, kind: str, left: Record, right: Record) -> Proposal:
        """Work out a reviewer's answer: ``must_link``, ``never_link``, or ``unsure``, which decides nothing."""
        asked = (":".join(left), ":".join(right))
        if kind == UNSURE:
            return Proposal("review", (Row(UNSURE, left, right, "review"),))
        decided = self.merge(asked) if kind == MUST else self.refuse(*asked)
        return Proposal("review", (Row(kind, left, right, "review"),), decided.replaces)

    def withdraw(self, reference: str) -> Proposal:
        """Work out that a decision is taken back, whole: what it had replaced holds again.

        Args:
            reference: Id of the decision, or as much of it as no other one begins with.

        Raises:
            DatadockError: When there is none or several of that id, or it was taken back already.
        """
        found = self.decisions.filter(pl.col("decision_id").str.starts_with(reference))
        ids = found["decision_id"].unique().to_list()
        if not reference or len(ids) != 1:
            raise DatadockError(
                f"{len(ids) or 'no'} decision{'s' if len(ids) != 1 else ''} of the ledger begin with {reference!r}",
                expected="the id of one decision",
                action="see them: datadock identity decisions",
            )
        identifier = str(ids[0])
        takes_back = found["kind"][0] == WITHDRAWN
        if takes_back or identifier in set(withdrawals(self.decisions)):
            raise DatadockError(
                f"decision {identifier} {'takes another one back' if takes_back else 'was taken back'}",
                expected="a decision that stands, or was replaced by a later one",
                action="decide anew: datadock identity merge, split or refuse",
            )
        pairs = dict.fromkeys(_pair(row) for row in found.iter_rows(named=True))
        rows = tuple(Row(WITHDRAWN, left, right, "withdraw") for left, right in pairs)
        without = standing(self.decisions.filter(pl.col("decision_id") != identifier))
        now = {frozenset(_pair(row)): row["decision_id"] for row in self.standing.iter_rows(named=True)}
        touched = {frozenset(pair) for pair in pairs}
        revives = tuple(
            row
            for row in without.iter_rows(named=True)
            if frozenset(_pair(row)) in touched and now.get(frozenset(_pair(row))) == identifier
        )
        return Proposal("withdraw", rows, withdraws=identifier, revives=revives)

    def _check_sides(self, sides: Sequence[Side]) -> None:
        if len({side.reference for side in sides}) < max(2, len(sides)):
            raise DatadockError(
                f"{sides[0].reference} stands against itself" if sides else "nothing is named",
                expected="two or more different records or contacts",
                action="name another one",
            )
        with self.workspace.connection() as con:
            known = NamedRecords(con, self.workspace, {side.named for side in sides})
            for other in sides[1:]:
                if other.named != sides[0].named:
                    known.check_pair(sides[0].named, other.named)

    def _proposal(self, action: str, kind: str, pairs: Iterable[Pair]) -> Proposal:
        """Leave out pairs of which that holds already, and name what would be replaced."""
        holding = {frozenset(_pair(row)): row for row in self.standing.iter_rows(named=True)}
        asked = list({frozenset(pair): pair for pair in pairs if pair[0] != pair[1]}.values())
        fresh = [pair for pair in asked if holding.get(frozenset(pair), {}).get("kind") != kind]
        if not fresh:
            row = holding[frozenset(asked[0])]
            raise DatadockError(
                f"that is decided already: {row['decision_id']}, by {row['decided_by']}, {row['decided_at']:%Y-%m-%d}, "
                f"because {row['reason']}",
                expected="something that no standing decision says",
                action="see what stands: datadock identity decisions",
            )
        replaced = tuple(holding[frozenset(pair)] for pair in fresh if frozenset(pair) in holding)
        return Proposal(action, tuple(Row(kind, *pair, action) for pair in fresh), replaced)


def take(book: Book, proposal: Proposal, by: str, reason: str) -> str:
    """Write a decision to the ledger; the next run applies it.

    Args:
        book: What the decision was worked out with.
        proposal: The decision.
        by: Who takes it.
        reason: Why; no decision is kept without.

    Returns:
        Id of the decision.

    Raises:
        DatadockError: When who or why is missing.
    """
    check_signed(by, reason)
    last = book.decisions["decided_at"].max()
    moment = datetime.now(UTC)
    if isinstance(last, datetime) and moment <= last:  # the latest decision on a pair holds, whatever clocks say
        moment = last + timedelta(microseconds=1)
    identifier = f"{moment:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
    append_rows(book.workspace, identifier, rows_of(proposal, identifier, by.strip(), reason.strip(), moment))
    return identifier


def check_signed(by: str, reason: str) -> None:
    """Refuse a decision that nobody signs, or that has no reason.

    Raises:
        DatadockError: When who or why is missing.
    """
    signed.check_signed("a decision", by, reason, option="--reason")


def rows_of(proposal: Proposal, identifier: str, by: str, reason: str, moment: datetime) -> list[dict[str, Any]]:
    """Return the ledger's rows of a decision."""
    return [
        {
            "decision_id": identifier,
            "kind": row.kind,
            "left_source": row.left[0],
            "left_key": row.left[1],
            "right_source": row.right[0],
            "right_key": row.right[1],
            "decided_by": by,
            "decided_at": moment,
            "reason": reason,
            "action": row.action,
            "withdraws": proposal.withdraws or None,
        }
        for row in proposal.rows
    ]


def _pair(row: dict[str, Any]) -> Pair:
    return (row["left_source"], row["left_key"]), (row["right_source"], row["right_key"])
