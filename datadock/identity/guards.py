"""Guards of the linking: what each objects to, by name, with what was expected, what was found and what to do.

Pure functions over what ``judgement`` gathers. Limits and their reasons are the catalog's (``identity.yml``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from datadock.catalog.model import IdentityLimits, Reviewed
from datadock.identity.blocking import BlockReport
from datadock.identity.model import Model, parameter_faults
from datadock.intervals import wilson

PAIRS_GUARDS = {
    "untrained_levels": "Every level of the model in use has a finite m, u and h, and agreement outweighs difference.",
    "one_sided_levels": "No level depends on which record of a pair comes first; a sample of pairs, both ways round.",
    "block_over_cap": "No blocking key is shared by more records than the catalog allows.",
}
MEMBERSHIP_GUARDS = {
    "cluster_over_cap": "No golden contact holds more records than the catalog allows.",
    "edge_precision": "Strong pairs among those that people decided are right as often as they were.",
    "id_churn": "Records keep their golden ids, but for decisions.",
}
REVIEWED_GUARD = {"reviewed_accuracy": "The linking reaches its limits on the reviewed sample of the catalog."}

_FEW_MOVES = 20
"""Records that moved below which churn is not judged: a handful of merges is no trend, whatever its share."""


@dataclass(frozen=True)
class Finding:
    """What a guard objects to.

    Attributes:
        guard: Its name, that of the asset check.
        subject: The level, rule, key, golden contact or measure.
        expected: What should have been.
        found: What was.
        action: What a person can do.
        blocks: Whether it stops the run.
    """

    guard: str
    subject: str
    expected: str
    found: str
    action: str
    blocks: bool = True

    def __str__(self) -> str:
        """Write it on one line."""
        return f"{self.guard}: {self.subject}: {self.found}; expected {self.expected}"


@dataclass(frozen=True)
class TurnedLevel:
    """A level that holds one way round and another level the other way.

    Attributes:
        comparison: Name of the comparison.
        level: Its level for the pair.
        turned: Its level for the same pair the other way round.
        pairs: Sampled pairs of which this is so.
        sampled: Pairs that were looked at.
    """

    comparison: str
    level: str
    turned: str
    pairs: int
    sampled: int


@dataclass(frozen=True)
class LargeCluster:
    """A golden contact that is larger than allowed.

    Attributes:
        golden_id: Its id.
        records: Its records.
        sources: Records per source.
        held_by: What holds it together, in words: edges, decisions, the values that most records share.
        examples: Some of its records, ``source:key``.
    """

    golden_id: str
    records: int
    sources: dict[str, int]
    held_by: tuple[str, ...]
    examples: tuple[str, ...]


@dataclass(frozen=True)
class DecidedEdges:
    """Decided pairs that the model alone would join.

    Attributes:
        strong: How many of the decided pairs reach the threshold.
        right: How many of these were decided to be one party.
    """

    strong: int
    right: int

    @property
    def precision(self) -> float:
        """Share of the strong ones that are right; 1 where there is none."""
        return self.right / self.strong if self.strong else 1.0


@dataclass(frozen=True)
class Moves:
    """Records whose golden id changes without a decision.

    Attributes:
        moved: How many.
        before: Records that bore an id before and are still there.
        declared_anew: What was changed on purpose since: model, threshold, fields; empty for nothing.
        examples: Golden ids that most records leave, with their number.
    """

    moved: int
    before: int
    declared_anew: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()


def untrained_levels(model: Model) -> list[Finding]:
    """Object to every parameter of a model that is missing or impossible, and to agreement that weighs nothing."""
    return [
        Finding(
            "untrained_levels",
            f"{model.party} model, {fault.subject}",
            fault.expected,
            fault.found,
            f"datadock identity train --party {model.party} --accept, or go back: datadock identity models",
        )
        for fault in parameter_faults(model)
    ]


def one_sided_levels(party: str, turned: Iterable[TurnedLevel]) -> list[Finding]:
    """Object to every level whose verdict depends on the order of the pair."""
    return [
        Finding(
            "one_sided_levels",
            f"{party} model, {one.comparison}: level '{one.level}'",
            "the same level both ways round",
            f"level '{one.turned}' the other way round, in {one.pairs:,} of {one.sampled:,} sampled pairs",
            f"mend the level's condition in the model, or train anew: datadock identity train --party {party} --accept",
        )
        for one in turned
    ]


def overgrown_blocks(party: str, blocks: Iterable[BlockReport], limit: int) -> list[Finding]:
    """Object to every blocking key that more records share than allowed; its pairs were not made."""
    return [
        Finding(
            "block_over_cap",
            f"{party} rule {block.rule}, key '{text}'",
            f"at most {limit:,} records that share {' and '.join(block.keys)}",
            f"{records:,} records",
            "look whether the value is a placeholder that a source fills in, and mend it there; where it is real, "
            f"train anew, which stops such keys: datadock identity train --party {party} --accept",
        )
        for block in blocks
        for text, records in block.overgrown_keys
    ]


def oversized_clusters(clusters: Iterable[LargeCluster], limit: int) -> list[Finding]:
    """Object to every golden contact of more records than allowed."""
    return [
        Finding(
            "cluster_over_cap",
            f"golden contact {one.golden_id}",
            f"at most {limit:,} records",
            f"{one.records:,} records ({', '.join(f'{name} {n:,}' for name, n in one.sources.items())}) held together "
            f"by {'; '.join(one.held_by) or 'nothing that is kept'}; among them {', '.join(one.examples)}",
            "part the wrong pairs by decisions, mend the shared value at its source, or raise limits.cluster_records "
            "in identity.yml where it is one party",
        )
        for one in clusters
    ]


def fallen_precision(now: DecidedEdges, before: DecidedEdges | None, limits: IdentityLimits) -> list[Finding]:
    """Object where strong pairs among the decided ones are right less often than by the weights of the last run.

    Both are measured on the same decided pairs, so that what people happened to review cancels out. A fall counts
    where it exceeds the limit and chance does not explain it: the upper end of Wilson's interval lies below.
    """
    if before is None or min(now.strong, before.strong) < limits.decided_pairs:
        return []
    fall = before.precision - now.precision
    if fall <= limits.edge_precision_drop or wilson(now.right, now.strong)[1] >= before.precision:
        return []
    return [
        Finding(
            "edge_precision",
            "strong pairs among the decided ones",
            f"precision of {before.precision:.3f} as in the last run, or {limits.edge_precision_drop:g} less",
            f"{now.precision:.3f}: {now.right:,} of {now.strong:,} strong pairs were decided to be one party "
            f"({before.right:,} of {before.strong:,} by the weights before)",
            "see what changed: datadock identity models, datadock identity what-if; go back to the earlier model or "
            "threshold, or train anew",
        )
    ]


def id_churn(moves: Moves, limits: IdentityLimits) -> list[Finding]:
    """Object where more records change their golden id than allowed; the first run has nothing to move."""
    limit = limits.id_churn_new_model if moves.declared_anew else limits.id_churn
    if not moves.before or moves.moved < _FEW_MOVES or moves.moved / moves.before <= limit:
        return []
    setting = "id_churn_new_model" if moves.declared_anew else "id_churn"
    why = f" (new: {', '.join(moves.declared_anew)})" if moves.declared_anew else ""
    left = f"; most leave {', '.join(moves.examples)}" if moves.examples else ""
    return [
        Finding(
            "id_churn",
            "golden ids",
            f"at most {limit:.1%} of the records that had an id{why}",
            f"{moves.moved:,} of {moves.before:,} records ({moves.moved / moves.before:.1%}) change theirs without a "
            f"decision{left}",
            "look at what changed in the sources or the model; go back with datadock identity use, or let it pass once "
            f"by raising limits.{setting} in identity.yml",
        )
    ]


def reviewed_accuracy(measures: Sequence[tuple[str, float, float, float]], limits: Reviewed) -> list[Finding]:
    """Object to every measure on the reviewed sample that falls short of its limit.

    Args:
        measures: Name, estimate, lower and upper end of each measure that the sample allows.
        limits: What must be reached, and what is held against it.
    """
    wanted = limits.model_dump()
    return [
        Finding(
            "reviewed_accuracy",
            name,
            f"at least {wanted[name]:g}, by the {'estimate' if limits.judged_by == 'estimate' else 'lower end'}",
            f"{estimate:.4f} (95 % interval {low:.4f} to {high:.4f})",
            "datadock identity evaluate tells more; decide on the wrong pairs, or go back to the earlier model",
            blocks=limits.on_failure == "block",
        )
        for name, estimate, low, high in measures
        if name in wanted and (estimate if limits.judged_by == "estimate" else low) < wanted[name]
    ]
