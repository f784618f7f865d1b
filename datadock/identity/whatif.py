"""What another threshold would do: golden contacts, flipped pairs, ids, accuracy, reach and consents, before a run.

Clusters are those of a run with that threshold, from the stored pairs, by the same code; nothing is written.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from datadock import names
from datadock.accuracy import PAIR
from datadock.catalog.fields import STORED_FROM
from datadock.errors import DatadockError
from datadock.identity.judgement import decided_pairs, judge_memberships
from datadock.identity.ledger import read_decisions
from datadock.identity.memberships import (
    Plan,
    current_memberships,
    membership_inputs,
    plan_memberships,
    read_log,
)
from datadock.identity.partition import PartyClusters
from datadock.identity.reach import Reach, measure_reach
from datadock.identity.workspace import FEATURES, PARTIES, Workspace

RANGE = (-4.0, -3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 4.0, 8.0, 12.0)
"""Bits that are tried where nobody names a threshold: even odds is 0, a thousand to one 10."""

_EXAMPLES = 5
_KEYS = ["source", "source_key"]


@dataclass(frozen=True)
class Flip:
    """A pair of records that would join or part, with the weight that is kept of it."""

    left: str
    right: str
    weight: float


@dataclass(frozen=True)
class Outcome:
    """Who is who at a threshold.

    Attributes:
        threshold: Party type to bits.
        golden: Golden contacts.
        largest: Records of the largest one.
        joined: Pairs of records in one golden contact.
        pairs_in: Pairs that would join, against the memberships that stand.
        pairs_out: Pairs that would part.
        ids_changed: Records whose golden id would change.
        expected_precision: Of the joined pairs, the share that the model expects to be right; a pair of which no weight
            is kept counts as wrong.
        expected_recall: Of the pairs that the model expects to be right, the share that is joined.
        reviewed: How many decided pairs the weights would join, how many of these rightly, and how many are one party.
        reach: Contacts that can be reached by channel, and contradictions among consents.
        examples_in: Pairs that would join, the weakest first.
        examples_out: Pairs that would part, the weakest first.
        objections: What the guards would stop such a run for.
    """

    threshold: dict[str, float]
    golden: int
    largest: int
    joined: int
    pairs_in: int
    pairs_out: int
    ids_changed: int
    expected_precision: float
    expected_recall: float
    reviewed: tuple[int, int, int]
    reach: Reach
    examples_in: tuple[Flip, ...] = ()
    examples_out: tuple[Flip, ...] = ()
    objections: tuple[str, ...] = ()

    @property
    def reviewed_precision(self) -> float | None:
        """Share of the decided pairs joined by weight that are right; None where there is none."""
        strong, right, _ = self.reviewed
        return right / strong if strong else None

    @property
    def reviewed_recall(self) -> float | None:
        """Share of the pairs decided to be one party that the weights join; None where there is none."""
        _, right, same = self.reviewed
        return right / same if same else None

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON."""
        own = asdict(self)
        own["reviewed"] = dict(zip(("joined", "right", "one_party"), self.reviewed, strict=True))
        return {**own, "reviewed_precision": self.reviewed_precision, "reviewed_recall": self.reviewed_recall}


def bits_of(probability: float) -> float:
    """Return the match weight of a probability between 0 and 1."""
    return math.log2(probability / (1 - probability))


def check_threshold(bits: float) -> None:
    """Refuse a threshold of which the stored pairs know nothing.

    Raises:
        DatadockError: Below the weight from which pairs are kept.
    """
    if bits < STORED_FROM:
        raise DatadockError(
            f"a threshold of {bits:g} bits is below what is kept: pairs under {STORED_FROM:g} bits are not stored",
            expected=f"at least {STORED_FROM:g} bits, a probability of {1 / (1 + 2**-STORED_FROM):.3f}",
            action="name a higher threshold; below this one more pairs would be wrong than right by far",
        )


class WhatIf:
    """Opened memberships and pairs, for one question after the other.

    Args:
        workspace: Of a question asked between runs.
        parties: Party types, opened.
        published: The published copy of the warehouse, for reach and consents; none of it is needed.
    """

    def __init__(self, workspace: Workspace, parties: list[PartyClusters], published: Path | None) -> None:
        self.workspace, self.parties, self.published = workspace, parties, published
        self.log, self.decisions = read_log(workspace), read_decisions(workspace)
        self.standing = current_memberships(self.log).drop_nulls("golden_id")
        self.declared: dict[str, float] = workspace.catalog.identity.threshold.model_dump()
        self._decided = decided_pairs(self.decisions)
        self._pairs = pl.concat([_named(party) for party in parties])

    @property
    def stale(self) -> bool:
        """Whether features are newer than the pairs, so that a run would give other figures."""
        scored = self.workspace.cursor(names.PAIRS)
        return any(scored.get(key) != value for key, value in self.workspace.cursor(FEATURES).items())

    def plan(self, threshold: Mapping[str, float]) -> Plan:
        """Return the memberships of a run with a threshold.

        Raises:
            DatadockError: When the stored pairs do not reach down to it.
        """
        for bits in threshold.values():
            check_threshold(bits)
        return plan_memberships(self.workspace, self.parties, self.log, self.decisions, threshold)

    def at(
        self, threshold: Mapping[str, float], *, whole: bool = True, versions: Mapping[str, str] | None = None
    ) -> Outcome:
        """Return what a threshold would do; ``plan`` says what it raises.

        Args:
            threshold: Party type to bits.
            whole: Whether to measure reach and consents and ask the guards, too.
            versions: Party type to version of a model other than the one in use.
        """
        plan = self.plan(threshold)
        outcome = self._outcome(dict(threshold), plan.assigned, with_reach=whole)
        if not whole:
            return outcome
        inputs = {**membership_inputs(self.workspace), "threshold": dict(threshold)}
        inputs["models"] = {**inputs.get("models", {}), **(versions or {})}
        findings, _ = judge_memberships(self.workspace, self.parties, plan, self.decisions, inputs)
        return replace(outcome, objections=tuple(str(finding) for finding in findings if finding.blocks))

    def expect(self, thresholds: Sequence[float]) -> None:
        """Say which thresholds will be asked for, from low to high: what they need is then weighed once for all."""
        for party in self.parties:
            party.weigh_below = max(thresholds)

    def now(self) -> Outcome:
        """Return the memberships that stand."""
        last = self.workspace.cursor(names.MEMBERSHIPS).get("threshold", self.declared)
        return self._outcome(last, self.standing, with_reach=True)

    def threshold(self, bits: float, party: str | None) -> dict[str, float]:
        """Return the declared thresholds with another one for a party type, or for both."""
        return {name: bits if party in (None, name) else declared for name, declared in self.declared.items()}

    def _outcome(self, threshold: dict[str, float], assigned: pl.DataFrame, *, with_reach: bool) -> Outcome:
        both = assigned.select(*_KEYS, new="golden_id").join(
            self.standing.select(*_KEYS, old="golden_id"), on=_KEYS, how="left"
        )
        sizes = both.group_by("new").agg(n=pl.len())["n"]
        stood = both.drop_nulls("old")
        joined, kept = _pairs(sizes), _pairs(stood.group_by("new", "old").agg(n=pl.len())["n"])
        weighed = self._weighed(assigned)
        chance = 1 / (1 + 2.0 ** -weighed["weight"])
        expected = float(chance.filter(weighed["together"]).sum())
        total = float(chance.sum())
        return Outcome(
            threshold,
            golden=sizes.len(),
            largest=int(sizes.max() or 0),  # type: ignore[arg-type]  # an integer column
            joined=joined,
            pairs_in=joined - kept,
            pairs_out=_pairs(stood.group_by("old").agg(n=pl.len())["n"]) - kept,
            ids_changed=stood.filter(pl.col("new") != pl.col("old")).height,
            expected_precision=expected / joined if joined else 1.0,
            expected_recall=expected / total if total else 1.0,
            reviewed=self._reviewed(threshold),
            reach=measure_reach(self.workspace, self.published, assigned) if with_reach else Reach({}, 0),
            examples_in=_examples(weighed.filter(pl.col("together") & ~pl.col("before"))),
            examples_out=_examples(weighed.filter(~pl.col("together") & pl.col("before"))),
        )

    def _weighed(self, assigned: pl.DataFrame) -> pl.DataFrame:
        """Kept pairs with whether they are together, and whether they were before."""
        found = self._pairs
        for name, frame in (("together", assigned), ("before", self.standing)):
            for side in ("left", "right"):
                ids = frame.select(
                    pl.col("source").alias(f"{side}_source"),
                    pl.col("source_key").alias(f"{side}_key"),
                    pl.col("golden_id").alias(f"{name}_{side}"),
                )
                found = found.join(ids, on=[f"{side}_source", f"{side}_key"], how="left", maintain_order="left")
            same = pl.col(f"{name}_left") == pl.col(f"{name}_right")
            found = found.with_columns(same.fill_null(value=False).alias(name))
        return found

    def _reviewed(self, threshold: Mapping[str, float]) -> tuple[int, int, int]:
        strong = right = same = 0
        for party in self.parties:
            met = party.weights_of(self._decided)
            joined = met.filter(pl.col("weight") >= threshold[party.party])
            strong, right = strong + joined.height, right + int(joined["same"].sum())
            same += int(met["same"].sum())
        return strong, right, same


@contextmanager
def open_what_if(workspace: Workspace, published: Path | None) -> Iterator[WhatIf]:
    """Open what a question about thresholds needs.

    Raises:
        DatadockError: When no pairs are scored yet.
    """
    if not workspace.cursor(names.PAIRS):
        raise DatadockError(
            "no pairs are scored yet", expected="a deployment that has linked its contacts", action="run: datadock run"
        )
    with workspace.connection() as con:
        yield WhatIf(workspace, [PartyClusters(con, workspace, party) for party in PARTIES], published)


def _named(party: PartyClusters) -> pl.DataFrame:
    """Live pairs of a party by source and key."""
    found = party.pairs
    for side in ("left", "right"):
        ids = party.records.select("rid", pl.col("source").alias(f"{side}_source"), source_key=pl.col("source_key"))
        ids = ids.rename({"rid": f"rid_{side[0]}", "source_key": f"{side}_key"})
        found = found.join(ids, on=f"rid_{side[0]}", how="left", maintain_order="left")
    return found.select(*PAIR, "weight")


def _examples(flipped: pl.DataFrame) -> tuple[Flip, ...]:
    weakest = flipped.sort("weight", *PAIR).head(_EXAMPLES)
    return tuple(Flip(f"{a}:{b}", f"{c}:{d}", weight) for a, b, c, d, weight in weakest.select(*PAIR, "weight").rows())


def _pairs(sizes: pl.Series) -> int:
    counts = sizes.cast(pl.Int64)
    return int((counts * (counts - 1) // 2).sum())
