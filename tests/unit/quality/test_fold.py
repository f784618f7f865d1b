import duckdb
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datadock.quality.fold import fold, fold_expr, fold_sql

TEXTS = st.one_of(
    st.text(),
    st.text(st.characters(max_codepoint=0x24F)),
    st.text(st.characters(min_codepoint=0x300, max_codepoint=0x370) | st.sampled_from("aEéœ'ßﬁ-K ")),
)


def duckdb_fold(texts):
    relation = duckdb.from_arrow(pl.DataFrame({"x": texts}, schema={"x": pl.String}).to_arrow())
    return [row[0] for row in relation.project(fold_sql("x")).fetchall()]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12 bis, rue de l’Œuvre", "12 BIS RUE DE L OEUVRE"),
        ("Saint-Étienne", "SAINT ETIENNE"),
        ("E\u0301cole\u00a0  n°3", "ECOLE N 3"),
        ("Straße Ærø", "STRASSE AERO"),
        ("６９００２ Ｌｙｏｎ", "69002 LYON"),
        ("улица شارع 🏠", ""),
        ("", ""),
    ],
)
def test_fold_keeps_capitals_digits_and_single_spaces(text, expected):
    assert fold(text) == expected


@settings(max_examples=25, deadline=None)
@given(st.lists(TEXTS, max_size=20))
def test_the_three_forms_of_the_fold_agree_and_folding_twice_changes_nothing(texts):
    one_by_one = [fold(text) for text in texts]
    assert [fold(text) for text in one_by_one] == one_by_one
    column = pl.DataFrame({"x": texts}, schema={"x": pl.String}).select(fold_expr(pl.col("x")))["x"]
    assert column.to_list() == one_by_one
    assert duckdb_fold(texts) == one_by_one


def test_null_stays_null_in_columns():
    assert pl.DataFrame({"x": [None, "é"]}).select(fold_expr(pl.col("x")))["x"].to_list() == [None, "E"]
    assert duckdb_fold([None, "é"]) == [None, "E"]
