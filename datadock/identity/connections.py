"""How records hang together: the chain that joins two of one contact, and what lies between two contacts.

Reads scored pairs, memberships and decisions; which evidence a single pair has is in ``explain``.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import polars as pl

from datadock.errors import DatadockError
from datadock.identity.cluster import CLIP
from datadock.identity.explain import NamedRecords, Pair, Record, explain
from datadock.identity.explanation import Explanation
from datadock.identity.ledger import MUST, read_decisions, standing
from datadock.identity.model import load_model
from datadock.identity.pairs import LIVE_PAIRS, load_live_pairs
from datadock.identity.workspace import Workspace

MOST_PAIRS = 2_000
"""Pairs between two contacts that are weighed; contacts with more are told as too large."""


@dataclass(frozen=True)
class Link:
    """One step of a chain.

    Attributes:
        left: One record.
        right: The next one.
        weight: Bits; None where a decision joins the two, not their weight.
        decision: Id of that decision, else empty.
    """

    left: Record
    right: Record
    weight: float | None
    decision: str = ""


@dataclass(frozen=True)
class Between:
    """What lies between two contacts.

    Attributes:
        left: Records of one.
        right: Records of the other.
        strongest: Explanation of the weightiest pair between them.
        mean: Mean weight over all pairs between them, each within what one pair may say (bits).
        pairs: Number of these pairs.
        decisions: Decisions that stand between them: id, kind, left and right record, who, when, why.
    """

    left: tuple[Record, ...]
    right: tuple[Record, ...]
    strongest: Explanation
    mean: float
    pairs: int
    decisions: tuple[dict[str, object], ...]


def chain(workspace: Workspace, members: Iterable[Record], left: Record, right: Record) -> list[Link]:
    """Return the strongest chain of scored pairs and decisions that joins two records of one contact.

    Args:
        workspace: The deployment's.
        members: Records of the contact.
        left: Where the chain begins.
        right: Where it ends.

    Returns:
        The chain whose weakest link is strongest; empty where no pairs lead from one to the other.
    """
    links: dict[Record, list[Link]] = {}
    for link in _links(workspace, set(members)):
        links.setdefault(link.left, []).append(link)
        links.setdefault(link.right, []).append(Link(link.right, link.left, link.weight, link.decision))
    # Widest path: a path is as strong as its weakest link, of equals the shorter one wins.
    best: dict[Record, tuple[float, int]] = {left: (float("inf"), 0)}
    came: dict[Record, Link] = {}
    queue = [(-float("inf"), 0, left)]
    while queue:
        negative, steps, record = heapq.heappop(queue)
        if record == right:
            break
        if (-negative, -steps) < best[record]:
            continue
        for link in links.get(record, ()):
            strength = min(-negative, float("inf") if link.weight is None else link.weight)
            if (strength, -steps - 1) > best.get(link.right, (-float("inf"), 0)):
                best[link.right], came[link.right] = (strength, -steps - 1), link
                heapq.heappush(queue, (-strength, steps + 1, link.right))
    path: list[Link] = []
    while right != left:
        if right not in came:
            return []
        path.insert(0, came[right])
        right = came[right].left
    return path


def between(workspace: Workspace, left: Sequence[Record], right: Sequence[Record]) -> Between:
    """Weigh all pairs between the records of two contacts.

    Raises:
        DatadockError: When there are more than ``MOST_PAIRS``, or the contacts are a person and a company.
    """
    pairs: list[Pair] = list(product(left, right))
    if len(pairs) > MOST_PAIRS:
        raise DatadockError(
            f"{len(pairs)} pairs lie between these contacts of {len(left)} and {len(right)} records",
            expected=f"at most {MOST_PAIRS}",
            action="name one record of each: SOURCE:KEY",
        )
    told = explain(workspace, pairs)
    weights = [linking_weight(one) for one in told]
    return Between(
        tuple(left),
        tuple(right),
        max(told, key=lambda one: one.weight),
        sum(weights) / len(weights),
        len(pairs),
        tuple(decisions_between(standing(read_decisions(workspace)), left, right)),
    )


def linking_weight(told: Explanation) -> float:
    """Return what a pair says inside a group: no more than one pair may say, and unknown is nothing against."""
    against = sum(min(piece.bits, 0.0) for piece in told.evidence)
    weight = told.weight if told.verdict == "same" else max(told.weight, against)
    return max(-CLIP, min(CLIP, weight))


def decisions_between(
    decisions: pl.DataFrame, left: Iterable[Record], right: Iterable[Record]
) -> list[dict[str, object]]:
    """Return the rows of decisions that lie between two groups of records, latest first."""
    ones, others = set(left), set(right)
    found = []
    for row in decisions.iter_rows(named=True):
        one, other = (row["left_source"], row["left_key"]), (row["right_source"], row["right_key"])
        if (one in ones and other in others) or (one in others and other in ones):
            found.append(row)
    return found[::-1]


def _links(workspace: Workspace, members: set[Record]) -> list[Link]:
    """Pairs strong enough to join within some records, and decisions that join them."""
    found: dict[frozenset[Record], Link] = {}
    with workspace.connection() as con:
        known = NamedRecords(con, workspace, members)
        for party in set(known.parties.values()):
            model = load_model(workspace.model_folder, party)
            load_live_pairs(con, workspace, party, model.version if model else "")
            rows = con.execute(
                f"select l.source, l.source_key, r.source, r.source_key, weight from {LIVE_PAIRS} "
                f"join dd_{party} l on l.rid = rid_l join dd_{party} r on r.rid = rid_r where weight >= $1",
                [workspace.threshold(party)],
            ).fetchall()
            for a, b, c, d, weight in rows:
                found[frozenset(((a, b), (c, d)))] = Link((a, b), (c, d), weight)
    decided = standing(read_decisions(workspace)).filter(pl.col("kind") == MUST)
    for row in decisions_between(decided, members, members):
        one, other = _ends(row)
        found[frozenset((one, other))] = Link(one, other, None, str(row["decision_id"]))
    return list(found.values())


def _ends(row: Mapping[str, object]) -> Pair:
    return (str(row["left_source"]), str(row["left_key"])), (str(row["right_source"]), str(row["right_key"]))
