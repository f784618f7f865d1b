"""The accuracy gate: a deployment's linking against a reviewed sample of its own records.

Measures are ``evaluation``'s; here are the limits, and the refusal where they are not met.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from datadock.errors import CheckError, DatadockError
from datadock.evaluation import RECORD, Scores, score
from datadock.settings import Settings
from datadock.warehouse.publish import query_published

_MEMBERS = "select source, source_key, golden_id from marts.dim_contact_source where golden_id is not null"


@dataclass(frozen=True)
class Limits:
    """What a linking must reach on a reviewed sample, each from 0 to 1.

    Attributes:
        precision: Least share of the found pairs that are right.
        recall: Least share of the true pairs that were found.
        b3_f1: Least B-cubed F1.
    """

    precision: float = 0.98
    recall: float = 0.90
    b3_f1: float = 0.95

    def missed(self, scores: Scores) -> list[str]:
        """Return what the scores fall short of, in words."""
        measured = {"precision": scores.precision, "recall": scores.recall, "b3_f1": scores.b3_f1}
        return [f"{name} {value:.4f}, at least {vars(self)[name]}" for name, value in measured.items()
                if value < vars(self)[name]]  # fmt: skip


def evaluate(settings: Settings, sample: Path) -> Scores:
    """Score the published linking on a reviewed sample.

    Args:
        settings: The deployment.
        sample: Parquet or csv with ``source, source_key, entity_id``: records of one entity are one contact.

    Raises:
        DatadockError: When the sample cannot be read, or nothing is published yet.
    """
    reviewed = _read(sample)
    columns, rows = query_published(settings, _MEMBERS)
    found = pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String), orient="row")
    return score(found, reviewed)


def check_accuracy(scores: Scores, limits: Limits) -> None:
    """Refuse a linking that falls short of its limits.

    Raises:
        CheckError: Naming each measure, what it is and what it should be.
    """
    missed = limits.missed(scores)
    if missed:
        raise CheckError(
            f"the linking falls short on the reviewed sample: {'; '.join(missed)}",
            expected=f"the limits that were given; {scores.records:,} records were reviewed",
            action="look at the match-quality report; mend the declared kinds, or decide on the pairs",
        )


def _read(sample: Path) -> pl.DataFrame:
    try:
        frame = pl.read_parquet(sample) if sample.suffix == ".parquet" else pl.read_csv(sample, infer_schema=False)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise DatadockError(
            f"the sample {sample} cannot be read: {error}",
            expected="parquet or csv with source, source_key, entity_id",
            action="mend the file or its path",
        ) from error
    return frame.with_columns(pl.col([name for name in RECORD if name in frame.columns]).cast(pl.String))
