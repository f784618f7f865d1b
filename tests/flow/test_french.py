"""French customers with planted errors are put together without labels, and their households kept apart."""

import sys

import polars as pl
import pytest

from datadock.settings import PROJECT_ROOT

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """Ten thousand records of a seed that nothing was looked at with, linked by the example's declaration."""
    sys.path.insert(0, str(PROJECT_ROOT / "benchmarks"))
    try:
        import french
        import french_people
    finally:
        sys.path.pop(0)
    data = tmp_path_factory.mktemp("french")
    customers = french_people.generate(10_000, 20_260)
    customers.records.write_parquet(data / "records.parquet")
    return french, customers, french.by_catalog(data)


def test_pairs_and_clusters_are_as_good_as_promised(measured):
    french, customers, found = measured
    scores = french.scored(customers, found)
    assert scores.f1 >= 0.96
    assert scores.b3_f1 >= 0.98
    assert scores.largest_found <= scores.largest_true + 4


def test_every_kind_of_error_is_seen_through(measured):
    french, customers, found = measured
    recalls = {kind: recall for kind, _, recall in french.recalls(customers, found)}
    assert set(recalls) == {*french.ERRORS, "none"}
    assert min(recalls.values()) >= 0.85
    assert recalls["none"] >= 0.995


def test_a_household_is_not_one_person(measured):
    french, customers, found = measured
    wrong = {kind: share for kind, _, share in french.wrongs(customers, found)}
    assert wrong["spouses"] <= 0.01
    assert wrong["parent and child"] <= 0.02
    assert wrong["siblings"] <= 0.05
    assert wrong["twins"] <= 0.25


def test_the_same_seed_gives_the_same_people(measured):
    french, _, _ = measured
    first, again, other = (french.generate(300, seed) for seed in (1, 1, 2))
    assert first.records.equals(again.records)
    assert first.truth.equals(again.truth)
    assert not first.records.equals(other.records)
    assert first.truth["person"].n_unique() == pytest.approx(150, rel=0.2)
    assert first.records.select(pl.col("id").n_unique()).item() == first.records.height
