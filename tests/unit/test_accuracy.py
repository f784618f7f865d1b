"""Accuracy on samples: intervals that hold what they promise, limits by estimate or lower end, both forms."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datadock.accuracy import Sample, check_accuracy, read_sample, score_pairs, score_sample
from datadock.catalog.model import Reviewed
from datadock.errors import CheckError, DatadockError
from datadock.evaluation import score, score_groups
from datadock.intervals import bootstrap, wilson

RECORDS = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=25)


def partition(entities: list[int], golden: list[int]) -> tuple[pl.DataFrame, pl.DataFrame]:
    keys = pl.DataFrame({"source": ["s"] * len(entities), "source_key": [str(n) for n in range(len(entities))]})
    found = keys.with_columns(golden_id=pl.Series(golden).cast(pl.String))
    return found, keys.with_columns(entity_id=pl.Series(entities).cast(pl.String))


@settings(deadline=None)
@given(RECORDS)
def test_groups_add_up_to_the_scores_of_the_whole(rows: list[tuple[int, int]]) -> None:
    found, truth = partition([a for a, _ in rows], [b for _, b in rows])
    whole, sums = score(found, truth), score_groups(found, truth).sum(axis=0)
    assert (whole.found_pairs, whole.true_pairs, whole.right_pairs, whole.records) == tuple(
        sums[:4].round().astype(int)
    )
    assert whole.b3_precision == pytest.approx(sums[4] / sums[3])
    assert whole.b3_recall == pytest.approx(sums[5] / sums[3])


@settings(deadline=None)
@given(RECORDS)
def test_every_interval_holds_its_estimate_and_the_same_seed_gives_the_same(rows: list[tuple[int, int]]) -> None:
    found, truth = partition([a for a, _ in rows], [b for _, b in rows])
    one, two = (score_sample(found, Sample(truth, of_pairs=False)) for _ in range(2))
    assert one == two
    assert all(0 <= low <= estimate <= high <= 1 for _, estimate, low, high in one.measures())


def test_wilson_is_the_published_interval() -> None:
    """Values of Brown, Cai and DasGupta's formula at 95 %."""
    assert wilson(9, 10) == pytest.approx((0.5958, 0.9821), abs=1e-4)
    assert wilson(10, 10) == pytest.approx((0.7225, 1.0), abs=1e-4)
    assert wilson(0, 0) == (0.0, 1.0)


def test_the_bootstrap_covers_a_share_of_clustered_trials_where_single_trials_would_not() -> None:
    """Ten pairs of a group are right or wrong together: in 19 of 20 samples the interval holds the true 0.8."""
    generator = np.random.default_rng(1)
    held = narrow = 0
    for round_ in range(200):
        right = 10.0 * (generator.random(120) < 0.8)
        groups = np.column_stack([np.full(120, 10.0), right])
        [(low, high)] = bootstrap(groups, lambda sums: sums[:, 1:] / sums[:, :1], round_, rounds=400)
        held += low <= 0.8 <= high
        alone = wilson(right.sum(), 1200)
        narrow += alone[0] <= 0.8 <= alone[1]
    assert held >= 180
    assert narrow <= 130


def test_a_sample_without_a_mistake_does_not_promise_that_there_is_none() -> None:
    found, truth = partition([n // 2 for n in range(40)], [n // 2 for n in range(40)])
    evaluation = score_sample(found, Sample(truth, of_pairs=False))
    assert [(m.name, m.estimate, round(m.low, 3), m.high) for m in evaluation.measured][:2] == [
        ("precision", 1.0, 0.839, 1.0),
        ("recall", 1.0, 0.839, 1.0),
    ]
    assert evaluation.notes == ("only 20 groups were reviewed: the intervals are rough, review more",)
    check_accuracy(evaluation, Reviewed())
    with pytest.raises(CheckError, match=r"precision 0.8389, at least 0.98"):
        check_accuracy(evaluation, Reviewed(judged_by="lower"))


def test_records_outside_the_sample_are_told_for_precision_does_not_see_them() -> None:
    found, truth = partition([1, 1, 2, 3], [1, 1, 1, 3])
    [note, _] = score_sample(found, Sample(truth.head(2), of_pairs=False)).notes
    assert note.startswith("of the records outside the sample, 1 share a golden contact")


def test_reviewed_pairs_are_counted_and_grouped_by_the_records_that_they_share(tmp_path: Path) -> None:
    (tmp_path / "pairs.csv").write_text(
        "left_source,left_key,right_source,right_key,same\ns,0,s,1,true\ns,1,s,2,no\ns,3,s,4,YES\ns,5,s,9,0\n",
        encoding="utf-8",
    )
    found, _ = partition([0] * 6, [7, 7, 7, 8, 9, 8])
    evaluation = score_sample(found, read_sample(tmp_path / "pairs.csv"))
    assert {m.name: m.estimate for m in evaluation.measured} == {"precision": 0.5, "recall": 0.5, "f1": 0.5}
    assert (evaluation.form, evaluation.size, evaluation.missing, evaluation.groups) == ("pairs", 4, 1, 3)
    assert (
        evaluation.notes[0] == "precision and recall hold for pairs picked as these were; B-cubed needs whole entities"
    )


def test_no_pair_at_all_says_nothing() -> None:
    columns = ["left_source", "left_key", "right_source", "right_key"]
    schema = {**dict.fromkeys(columns, pl.String), "same": pl.Boolean, "found": pl.Boolean}
    evaluation = score_pairs(pl.DataFrame(schema=schema), "pairs")
    assert [(m.low, m.high) for m in evaluation.measured] == [(0.0, 1.0)] * 3


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("source,source_key\ns,1\n", "has the columns source, source_key"),
        ("left_source,left_key,right_source,right_key,same\ns,1,s,2,perhaps\n", "says 'perhaps' under `same`"),
    ],
)
def test_a_sample_that_cannot_be_read_says_why(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "sample.csv").write_text(text, encoding="utf-8")
    with pytest.raises(DatadockError, match=told):
        read_sample(tmp_path / "sample.csv")
