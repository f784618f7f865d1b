"""The accuracy gate: a linking against records or pairs that people looked at, with intervals and limits.

Measures of a whole truth are ``evaluation``'s, how an interval is made ``intervals``'. Here are the two forms of a
sample, what each can say and cannot, and the refusal where limits are not met.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from datadock.catalog import load_catalog
from datadock.catalog.model import Reviewed
from datadock.errors import CheckError, DatadockError
from datadock.evaluation import RECORD, Scores, components, score, score_groups
from datadock.intervals import Floats, bootstrap, wilson
from datadock.settings import Settings
from datadock.warehouse.publish import query_published

SEED = 20_261_122
"""Of the draws behind every interval: the same sample and linking give the same interval."""

PAIR = ("left_source", "left_key", "right_source", "right_key")

_MEMBERS = "select source, source_key, golden_id from marts.dim_contact_source where golden_id is not null"
_QUEUED = "select distinct left_source, left_key, right_source, right_key from golden.suspects"
_FEW_GROUPS = 30
_YES, _NO = ("true", "1", "yes", "must_link"), ("false", "0", "no", "never_link")


@dataclass(frozen=True)
class Sample:
    """A reviewed sample.

    Attributes:
        frame: ``source, source_key, entity_id`` (records of one entity are one party), or the columns of ``PAIR`` and
            ``same`` (boolean).
        of_pairs: Whether it is the second.
    """

    frame: pl.DataFrame
    of_pairs: bool


@dataclass(frozen=True)
class Measure:
    """One measure with its 95 % interval."""

    name: str
    estimate: float
    low: float
    high: float


@dataclass(frozen=True)
class Evaluation:
    """What a sample says of a linking.

    Attributes:
        form: ``records``, ``pairs`` or ``decisions``.
        size: Records or pairs in it.
        missing: Those of which the linking does not know a record.
        measured: Precision, recall, F1, and for records the same of B-cubed.
        groups: Groups that share no pair: what the intervals rest on.
        notes: What a reader must know before believing the figures.
        scores: Counts behind the measures of a sample of records.
    """

    form: str
    size: int
    missing: int
    measured: tuple[Measure, ...]
    groups: int
    notes: tuple[str, ...]
    scores: Scores | None = None

    def measures(self) -> list[tuple[str, float, float, float]]:
        """Return name, estimate, lower and upper end of each measure."""
        return [(one.name, one.estimate, one.low, one.high) for one in self.measured]

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON: each measure by name, its interval under ``intervals``."""
        return {
            **(vars(self.scores) if self.scores else {}),
            "form": self.form,
            "size": self.size,
            "missing": self.missing,
            "groups": self.groups,
            **{one.name: one.estimate for one in self.measured},
            "intervals": {one.name: [one.low, one.high] for one in self.measured},
            "notes": list(self.notes),
        }

    def text(self) -> str:
        """Return what a person reads."""
        lines = [f"{self.size:,} reviewed {'records' if self.form == 'records' else 'pairs'}, {self.groups:,} groups"]
        lines += [f"  {m.name:<14}{m.estimate:.4f}   95 % {m.low:.4f} to {m.high:.4f}" for m in self.measured]
        return "\n".join([*lines, *(f"note: {note}" for note in self.notes)])


def read_sample(path: Path) -> Sample:
    """Read a reviewed sample, parquet or csv; its columns say which of the two forms it has.

    Raises:
        DatadockError: When it cannot be read or has the columns of neither form.
    """
    expected = f"parquet or csv with {', '.join(RECORD)}, entity_id, or with {', '.join(PAIR)}, same"
    try:
        frame = pl.read_parquet(path) if path.suffix == ".parquet" else pl.read_csv(path, infer_schema=False)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise DatadockError(
            f"the sample {path} cannot be read: {error}", expected=expected, action="mend the file or its path"
        ) from error
    of_pairs = {*PAIR, "same"} <= set(frame.columns)
    if not of_pairs and not {*RECORD, "entity_id"} <= set(frame.columns):
        raise DatadockError(
            f"the sample {path} has the columns {', '.join(frame.columns)}", expected=expected, action="mend the header"
        )
    if not of_pairs:
        return Sample(frame.with_columns(pl.col(RECORD).cast(pl.String)), of_pairs=False)
    answers = frame["same"].cast(pl.String).str.to_lowercase()
    odd = answers.filter(~answers.is_in([*_YES, *_NO]) | answers.is_null())
    if odd.len():
        raise DatadockError(
            f"the sample {path} says {odd[0]!r} under `same`", expected="true or false", action="mend the row"
        )
    same = answers.is_in(_YES).alias("same")
    return Sample(frame.select(pl.col(PAIR).cast(pl.String)).with_columns(same), of_pairs=True)


def score_sample(assigned: pl.DataFrame, sample: Sample) -> Evaluation:
    """Score a linking on a reviewed sample.

    Args:
        assigned: source, source_key, golden_id of every record.
        sample: The sample.

    Raises:
        DatadockError: When a record stands twice in a sample of records.
    """
    if sample.of_pairs:
        return score_pairs(_found(assigned, sample.frame), "pairs")
    scores = score(assigned, sample.frame)
    groups = score_groups(assigned, sample.frame)
    notes = []
    seen = assigned.join(sample.frame, on=list(RECORD), how="semi")
    outside = assigned.join(seen.select("golden_id").unique(), on="golden_id", how="semi").height - seen.height
    if outside:
        notes.append(
            f"of the records outside the sample, {outside:,} share a golden contact with one in it: whether they "
            "belong there is not judged, so precision may be lower"
        )
    notes += _few(len(groups))
    measured = _measured(groups, ("precision", "recall", "f1", "b3_precision", "b3_recall", "b3_f1"))
    return Evaluation("records", scores.records, scores.missing, measured, len(groups), tuple(notes), scores)


def score_pairs(pairs: pl.DataFrame, form: str, notes: Iterable[str] = ()) -> Evaluation:
    """Score reviewed pairs, grouped by the records that they share.

    Args:
        pairs: The columns of ``PAIR``, same, found (null where a record is unknown).
        form: ``pairs`` or ``decisions``.
        notes: What is known of how they were picked.
    """
    told = [*notes, "precision and recall hold for pairs picked as these were; B-cubed needs whole entities"]
    found = pairs["found"].fill_null(value=False)
    counts = np.column_stack([found, pairs["same"], found & pairs["same"]]).astype(np.float64).reshape(-1, 3)
    ends = pairs.select(
        pl.concat_str(f"{side}_source", f"{side}_key", separator="\x1f").alias(side) for side in ("left", "right")
    )
    groups = _summed(counts, ends["left"], ends["right"])
    measured = _measured(groups, ("precision", "recall", "f1"))
    return Evaluation(
        form, pairs.height, pairs["found"].null_count(), measured, len(groups), (*told, *_few(len(groups)))
    )


def evaluate(settings: Settings, path: Path) -> Evaluation:
    """Score the published linking on a reviewed sample.

    Args:
        settings: The deployment.
        path: As of ``read_sample``.

    Raises:
        DatadockError: When the sample cannot be read, or nothing is published yet.
    """
    sample = read_sample(path)
    columns, rows = query_published(settings, _MEMBERS)
    assigned = pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String), orient="row")
    if not sample.of_pairs:
        return score_sample(assigned, sample)
    columns, rows = query_published(settings, _QUEUED)
    queued = pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String), orient="row")
    return score_pairs(_found(assigned, sample.frame), "pairs", picked_from_queue(sample.frame, queued))


def picked_from_queue(pairs: pl.DataFrame, queued: pl.DataFrame) -> list[str]:
    """Return what to say of a sample whose pairs stood in the review queue: such pairs are doubtful by choice.

    Args:
        pairs: Reviewed pairs.
        queued: Every pair that ever was a suspect.
    """
    turned = queued.select(**{a: b for a, b in zip(PAIR, (*PAIR[2:], *PAIR[:2]), strict=True)})
    inside = pairs.join(pl.concat([queued, turned]).unique(), on=list(PAIR), how="semi").height
    if not inside:
        return []
    return [
        f"{inside:,} of {pairs.height:,} pairs came from the review queue, which holds doubtful pairs only: the "
        "sample is biased, and the figures are of the queue, not of the linking as a whole"
    ]


def check_accuracy(evaluation: Evaluation, limits: Reviewed) -> None:
    """Refuse a linking that falls short of its limits.

    Raises:
        CheckError: Naming each measure, what it is and what it should be.
    """
    by_estimate = limits.judged_by == "estimate"
    wanted = limits.model_dump()
    missed = [
        f"{one.name} {value:.4f}, at least {wanted[one.name]}"
        for one in evaluation.measured
        if one.name in wanted and (value := one.estimate if by_estimate else one.low) < wanted[one.name]
    ]
    if missed:
        held = "the estimates" if by_estimate else "the lower ends of the intervals"
        raise CheckError(
            f"the linking falls short on the reviewed sample: {'; '.join(missed)}",
            expected=f"the limits that were given, by {held}; {evaluation.size:,} {evaluation.form} were reviewed",
            action="look at the match-quality report; mend the declared kinds, or decide on the pairs",
        )


def limits_of(settings: Settings) -> Reviewed:
    """Return the limits that the catalog declares."""
    return load_catalog(settings.catalog).identity.reviewed


def _found(assigned: pl.DataFrame, pairs: pl.DataFrame) -> pl.DataFrame:
    for side in ("left", "right"):
        ids = assigned.select(pl.col("source", "source_key", "golden_id").name.prefix(f"{side}_"))
        ids = ids.rename({f"{side}_source_key": f"{side}_key"})
        pairs = pairs.join(ids, on=[f"{side}_source", f"{side}_key"], how="left", maintain_order="left")
    return pairs.with_columns(found=pl.col("left_golden_id") == pl.col("right_golden_id"))


def _summed(counts: Floats, left: pl.Series, right: pl.Series) -> Floats:
    """Sum counts of edges over the connected components of their ends."""
    _, group = np.unique(components(left, right), return_inverse=True)
    sums = np.zeros((int(group.max()) + 1 if len(group) else 0, counts.shape[1]))
    np.add.at(sums, group, counts)
    return sums


def _measured(groups: Floats, names: tuple[str, ...]) -> tuple[Measure, ...]:
    if not len(groups):
        return tuple(Measure(name, 1.0, 0.0, 1.0) for name in names)
    estimates = _measures(groups.sum(axis=0, keepdims=True))[0]
    measured = []
    # Where nothing is wrong, no draw is: Wilson's interval over the groups that could have been is wider, and right.
    could = [groups[:, 0] > 0, groups[:, 1] > 0, (groups[:, 0] > 0) | (groups[:, 1] > 0), *[groups[:, 0] >= 0] * 3]
    for place, (name, (low, high)) in enumerate(zip(names, bootstrap(groups, _measures, SEED), strict=False)):
        estimate = float(estimates[place])
        if high - low < 1e-12:
            trials = float(could[place].sum())
            low, high = wilson(estimate * trials, trials)
        measured.append(Measure(name, estimate, min(low, estimate), max(high, estimate)))
    return tuple(measured)


def _measures(sums: Floats) -> Floats:
    """Measures of summed counts: found, true, right, and for records their number and B-cubed sums."""
    found, true, right = sums[:, 0], sums[:, 1], sums[:, 2]
    columns = [_share(right, found), _share(right, true)]
    columns.append(_harmonic(*columns))
    if sums.shape[1] > 3:
        b3 = [_share(sums[:, 4], sums[:, 3]), _share(sums[:, 5], sums[:, 3])]
        columns += [*b3, _harmonic(*b3)]
    return np.column_stack(columns)


def _share(part: Floats, whole: Floats) -> Floats:
    result: Floats = np.divide(part, whole, out=np.ones_like(part), where=whole > 0)
    return result


def _harmonic(one: Floats, other: Floats) -> Floats:
    result: Floats = np.divide(2 * one * other, one + other, out=np.zeros_like(one), where=one + other > 0)
    return result


def _few(groups: int) -> list[str]:
    few = groups < _FEW_GROUPS
    return [f"only {groups} groups were reviewed: the intervals are rough, review more"] if few else []
