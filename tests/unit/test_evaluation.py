import itertools

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datadock.errors import DatadockError
from datadock.evaluation import duplicate_rates, score, score_by_source_pair


def frame(column, values, sources=None):
    keys = [str(number) for number in range(len(values))]
    return pl.DataFrame(
        {"source": sources or ["s"] * len(values), "source_key": keys, column: values},
        schema={"source": pl.String, "source_key": pl.String, column: pl.String},
    )


def test_a_small_case_is_scored_by_hand():
    truth = frame("entity_id", ["a", "a", "a", "b", "b"])
    found = score(frame("golden_id", ["1", "1", "2", "2", "2"]), truth)
    # Found pairs: 01, 23, 24, 34; true: 01, 02, 12, 34; right: 01, 34.
    assert (found.true_pairs, found.found_pairs, found.right_pairs) == (4, 4, 2)
    assert (found.precision, found.recall, found.f1) == (0.5, 0.5, 0.5)
    assert found.b3_precision == pytest.approx((1 + 1 + 1 / 3 + 2 / 3 + 2 / 3) / 5)
    assert found.b3_recall == pytest.approx((2 / 3 + 2 / 3 + 1 / 3 + 1 + 1) / 5)
    assert (found.largest_found, found.largest_true) == (3, 3)


def test_records_that_the_prediction_lacks_count_as_contacts_of_their_own():
    truth = frame("entity_id", ["a", "a", "b"])
    found = score(frame("golden_id", ["1", "1", "2"]).head(1), truth)
    assert (found.missing, found.found_pairs, found.recall, found.precision) == (2, 0, 0.0, 1.0)


def test_records_that_the_truth_lacks_are_left_aside():
    truth = frame("entity_id", ["a", "a", "b"]).head(2)
    assert score(frame("golden_id", ["1", "1", "1"]), truth).precision == 1.0


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("123")), min_size=1, max_size=9))
def test_pair_and_b_cubed_scores_agree_with_counting_pair_by_pair(labels):
    truth, predicted = [entity for entity, _ in labels], [golden for _, golden in labels]
    found = score(frame("golden_id", predicted), frame("entity_id", truth))
    pairs = list(itertools.combinations(range(len(labels)), 2))
    same = [truth[i] == truth[j] for i, j in pairs]
    together = [predicted[i] == predicted[j] for i, j in pairs]
    assert found.true_pairs == sum(same)
    assert found.found_pairs == sum(together)
    assert found.right_pairs == sum(one and other for one, other in zip(same, together, strict=True))
    precision = [
        sum(t == truth[i] and p == predicted[i] for t, p in zip(truth, predicted, strict=True))
        / predicted.count(predicted[i])
        for i in range(len(labels))
    ]
    assert found.b3_precision == pytest.approx(sum(precision) / len(labels))


def test_pairs_are_scored_within_and_between_sources():
    truth = frame("entity_id", ["a", "a", "a", "b"], ["x", "x", "y", "y"])
    table = score_by_source_pair(frame("golden_id", ["1", "1", "2", "2"], ["x", "x", "y", "y"]), truth)
    assert table.rows() == [
        ("x", "x", 1, 1, 1, 1.0, 1.0),
        ("x", "y", 2, 0, 0, None, 0.0),
        ("y", "y", 0, 1, 0, 0.0, None),
    ]


def test_duplicate_rates_within_and_between_sources():
    records = frame("entity_id", ["a", "a", "b", "a"], ["x", "x", "x", "y"])
    assert duplicate_rates(records, "entity_id").rows() == [
        ("x", "x", 3, 1, 1 / 3),
        ("x", "y", 3, 2, 2 / 3),
        ("y", "x", 1, 1, 1.0),
        ("y", "y", 1, 0, 0.0),
    ]


def test_a_missing_column_or_a_doubled_record_is_named():
    truth = frame("entity_id", ["a", "b"])
    with pytest.raises(DatadockError, match="the prediction has no column golden_id"):
        score(truth, truth)
    twice = pl.concat([truth, truth])
    with pytest.raises(DatadockError, match="the truth holds a record more than once"):
        score(frame("golden_id", ["1", "2"]), twice)
