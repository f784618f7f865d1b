"""Scores of a linking against a known truth: pairs, B-cubed, duplicate rates. Columns in, figures out.

Serves the demo's truth and any labelled sample. Deciding who is who is ``identity``'s; no threshold stands here.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from datadock.errors import DatadockError

RECORD = ("source", "source_key")


@dataclass(frozen=True)
class Scores:
    """How well a partition of records agrees with the true one.

    Attributes:
        records: Records in the truth.
        missing: Those that the prediction does not know; each counts as a contact of its own.
        true_pairs: Pairs of records that are one in truth.
        found_pairs: Pairs that the prediction puts together.
        right_pairs: Pairs that both put together.
        b3_precision: B-cubed precision: of a record's companions, the share that belongs, on average over records.
        b3_recall: B-cubed recall: of those who belong, the share found, on average over records.
        largest_found: Records in the largest predicted cluster.
        largest_true: Records in the largest true one.
    """

    records: int
    missing: int
    true_pairs: int
    found_pairs: int
    right_pairs: int
    b3_precision: float
    b3_recall: float
    largest_found: int
    largest_true: int

    @property
    def precision(self) -> float:
        """Share of the found pairs that are right; 1 when none was found."""
        return self.right_pairs / self.found_pairs if self.found_pairs else 1.0

    @property
    def recall(self) -> float:
        """Share of the true pairs that were found; 1 when there is none."""
        return self.right_pairs / self.true_pairs if self.true_pairs else 1.0

    @property
    def f1(self) -> float:
        """Harmonic mean of pair precision and recall."""
        return _harmonic(self.precision, self.recall)

    @property
    def b3_f1(self) -> float:
        """Harmonic mean of B-cubed precision and recall."""
        return _harmonic(self.b3_precision, self.b3_recall)

    def __str__(self) -> str:
        """Write the scores on one line."""
        return (
            f"pairs: precision {self.precision:.4f}, recall {self.recall:.4f}, F1 {self.f1:.4f}; "
            f"B-cubed: precision {self.b3_precision:.4f}, recall {self.b3_recall:.4f}, F1 {self.b3_f1:.4f}; "
            f"largest cluster {self.largest_found} (true {self.largest_true}); "
            f"{self.records} records, {self.missing} unknown to the prediction"
        )


def score(predicted: pl.DataFrame, truth: pl.DataFrame) -> Scores:
    """Compare a partition of records with the true one.

    Args:
        predicted: ``source, source_key, golden_id``, a row per record. Records that the truth lacks are ignored.
        truth: ``source, source_key, entity_id``, a row per record.

    Returns:
        Pair scores over all pairs within clusters, blocking misses included, and B-cubed scores
        (Bagga and Baldwin, 1998).

    Raises:
        DatadockError: For a missing column or a record that stands twice.
    """
    cells = _cells(predicted, truth)
    found = cells.group_by("cluster").agg(pl.col("both").sum())["both"]
    true = cells.group_by("entity_id").agg(pl.col("both").sum())["both"]
    squares = cells.select(
        precision=(pl.col("both") ** 2 / pl.col("found")).sum(), recall=(pl.col("both") ** 2 / pl.col("true")).sum()
    )
    size = int(cells["both"].sum())
    return Scores(
        records=size,
        missing=int(cells.filter("unknown")["both"].sum()),
        true_pairs=_pairs(true),
        found_pairs=_pairs(found),
        right_pairs=_pairs(cells["both"]),
        b3_precision=squares["precision"][0] / size if size else 1.0,
        b3_recall=squares["recall"][0] / size if size else 1.0,
        largest_found=int(found.max() or 0),  # type: ignore[arg-type]  # an integer column
        largest_true=int(true.max() or 0),  # type: ignore[arg-type]  # an integer column
    )


def score_groups(predicted: pl.DataFrame, truth: pl.DataFrame) -> npt.NDArray[np.float64]:
    """Count pairs and B-cubed shares per group of entities and clusters that hang together; groups share no pair.

    Args:
        predicted: As of ``score``.
        truth: As of ``score``.

    Returns:
        A row per group: found pairs, true pairs, right pairs, records, sum of B-cubed precision, of B-cubed recall.
    """
    cells = _cells(predicted, truth)
    labels = components("cluster " + cells["cluster"], "entity " + cells["entity_id"].cast(pl.String))
    both = pl.col("both")
    grouped = cells.with_columns(group=pl.Series(labels)).group_by("group").agg(
        # Half of (n - 1) for each of n records: summed over the cells of a cluster, its pairs.
        found=(both * (pl.col("found") - 1)).sum() / 2,
        true=(both * (pl.col("true") - 1)).sum() / 2,
        right=(both * (both - 1)).sum() / 2,
        records=both.sum(),
        precision=(both**2 / pl.col("found")).sum(),
        recall=(both**2 / pl.col("true")).sum(),
    )  # fmt: skip
    return grouped.sort("group").drop("group").cast(pl.Float64).to_numpy()


def components(left: pl.Series, right: pl.Series) -> npt.NDArray[np.int32]:
    """Return for each edge the number of the connected component that it is in; ends are texts, equal ones the same."""
    names, codes = np.unique(np.concatenate([left.to_numpy(), right.to_numpy()]).astype(str), return_inverse=True)
    ends = codes.reshape(2, -1)
    matrix = coo_matrix((np.ones(ends.shape[1]), (ends[0], ends[1])), shape=(len(names), len(names)))
    labels: npt.NDArray[np.int32] = connected_components(matrix, directed=False)[1][ends[0]]
    return labels


def _cells(predicted: pl.DataFrame, truth: pl.DataFrame) -> pl.DataFrame:
    """Records per cluster and entity: cluster, entity_id, both, found (of the cluster), true (of the entity)."""
    _check(predicted, "the prediction", "golden_id")
    _check(truth, "the truth", "entity_id")
    joined = truth.select(*RECORD, "entity_id").join(
        predicted.select(*RECORD, "golden_id"), on=RECORD, how="left", maintain_order="left"
    )
    joined = joined.with_row_index("row").with_columns(
        pl.coalesce(pl.col("golden_id").cast(pl.String), pl.concat_str(pl.lit("?"), "row")).alias("cluster")
    )
    cells = joined.group_by("cluster", "entity_id").agg(
        both=pl.len().cast(pl.Int64), unknown=pl.col("golden_id").is_null().all()
    )
    return cells.with_columns(
        found=pl.col("both").sum().over("cluster"), true=pl.col("both").sum().over("entity_id")
    ).sort("cluster", "entity_id")


def score_by_source_pair(predicted: pl.DataFrame, truth: pl.DataFrame) -> pl.DataFrame:
    """Score the pairs within each source and between each two sources.

    Returns:
        ``left_source, right_source, true_pairs, found_pairs, right_pairs, precision, recall``, in order of the
        sources' names; the same source twice means pairs within it. A rate of nothing is null.
    """
    _check(predicted, "the prediction", "golden_id")
    _check(truth, "the truth", "entity_id")
    known = truth.select(*RECORD, "entity_id").join(predicted.select(*RECORD, "golden_id"), on=RECORD, how="left")
    counts = [
        _pairs_by_source(known.drop_nulls(by), by).rename({"pairs": name})
        for name, by in (
            ("true_pairs", ["entity_id"]),
            ("found_pairs", ["golden_id"]),
            ("right_pairs", ["entity_id", "golden_id"]),
        )
    ]
    merged = counts[0]
    for other in counts[1:]:
        merged = merged.join(other, on=["left_source", "right_source"], how="full", coalesce=True)
    return (
        merged.with_columns(pl.col("true_pairs", "found_pairs", "right_pairs").fill_null(0))
        .with_columns(
            precision=(pl.col("right_pairs") / pl.col("found_pairs")).fill_nan(None),
            recall=(pl.col("right_pairs") / pl.col("true_pairs")).fill_nan(None),
        )
        .sort("left_source", "right_source")
    )


def _pairs_by_source(records: pl.DataFrame, by: list[str]) -> pl.DataFrame:
    cells = records.group_by(*by, "source").agg(n=pl.len().cast(pl.Int64))
    within = cells.group_by("source").agg(pairs=(pl.col("n") * (pl.col("n") - 1) // 2).sum())
    between = (
        cells.join(cells, on=by, suffix="_right")
        .filter(pl.col("source") < pl.col("source_right"))
        .group_by("source", "source_right")
        .agg(pairs=(pl.col("n") * pl.col("n_right")).sum())
    )
    return pl.concat(
        [
            within.select(left_source="source", right_source="source", pairs="pairs"),
            between.select(left_source="source", right_source="source_right", pairs="pairs"),
        ]
    ).filter(pl.col("pairs") > 0)


def duplicate_rates(records: pl.DataFrame, by: str) -> pl.DataFrame:
    """Measure how much of each source is there twice, and how much of it another source has too.

    Args:
        records: ``source, source_key`` and the column ``by``, a row per record.
        by: What makes records the same: ``entity_id`` for the planted rates, ``golden_id`` for the found ones.

    Returns:
        ``left_source, right_source, records, duplicates, rate``. Within a source (both names the same), duplicates
        are records beyond the first of each contact; between two, records of the left that the right has too.
        ``rate`` is duplicates per record of the left source.
    """
    # Grouping by codes is several times faster than by text.
    coded = records.select("source", pl.col(by).cast(pl.String).cast(pl.Categorical).to_physical())
    cells = coded.group_by("source", by).agg(n=pl.len().cast(pl.Int64))
    sizes = cells.group_by("source").agg(records=pl.col("n").sum(), duplicates=(pl.col("n") - 1).sum())
    within = sizes.select(left_source="source", right_source="source", records="records", duplicates="duplicates")
    shared = (
        cells.join(cells.select(by, right_source="source"), on=by)
        .filter(pl.col("source") != pl.col("right_source"))
        .group_by("source", "right_source")
        .agg(duplicates=pl.col("n").sum())
    )
    every = sizes.select("source", "records").join(sizes.select(right_source="source"), how="cross")
    between = (
        every.filter(pl.col("source") != pl.col("right_source"))
        .join(shared, on=["source", "right_source"], how="left")
        .select(left_source="source", right_source="right_source", records="records",
                duplicates=pl.col("duplicates").fill_null(0))
    )  # fmt: skip
    return (
        pl.concat([within, between])
        .with_columns(rate=pl.col("duplicates") / pl.col("records"))
        .sort("left_source", "right_source")
    )


def read_truth(folder: Path) -> pl.DataFrame:
    """Read the truth of all deliveries of the demo company.

    Returns:
        ``source, source_key, entity_id, party_type, household_id, delivery``, a row per source record.

    Raises:
        DatadockError: When there is none.
    """
    files = sorted(folder.glob("delivery-*/records.parquet"))
    if not files:
        raise DatadockError(
            f"no truth in {folder}",
            expected="delivery-01/records.parquet",
            action="name the folder that datadock demo generate --truth wrote",
        )
    return pl.concat([pl.read_parquet(path) for path in files]).unique(RECORD, keep="first", maintain_order=True)


def _check(frame: pl.DataFrame, what: str, column: str) -> None:
    wanted = [*RECORD, column]
    lacking = [name for name in wanted if name not in frame.columns]
    if lacking:
        raise DatadockError(
            f"{what} has no column {', '.join(lacking)}",
            expected=f"the columns {', '.join(wanted)}",
            action=f"found: {', '.join(frame.columns)}",
        )
    if frame.select(RECORD).is_duplicated().any():
        raise DatadockError(
            f"{what} holds a record more than once",
            expected="one row per source and source_key",
            action="keep one of them",
        )


def _pairs(sizes: pl.Series) -> int:
    return int((sizes * (sizes - 1) // 2).sum())


def _harmonic(left: float, right: float) -> float:
    return 2 * left * right / (left + right) if left + right else 0.0
