"""Positions of a BAN file, and the key by which its streets are found."""

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from datadock.geography.positions import positions_in
from datadock.quality.fold import fold
from datadock.quality.reference.streets import street_key, street_key_expr

WORDS = st.sampled_from(["SAINT", "SAINTE", "DE", "LA", "L", "RUE", "EGLISE", "ET", "ST", "8", "MAI"])


@given(st.lists(st.lists(WORDS, max_size=6).map(" ".join), max_size=10))
def test_the_key_of_a_column_of_streets_is_that_of_each(streets):
    column = pl.DataFrame({"street": streets}, schema={"street": pl.String})
    assert column.select(street_key_expr(pl.col("street"))).to_series().to_list() == [street_key(s) for s in streets]


@given(st.lists(st.text(max_size=20).map(fold), max_size=10))
def test_the_key_is_the_same_for_any_folded_text(streets):
    column = pl.DataFrame({"street": streets}, schema={"street": pl.String})
    assert column.select(street_key_expr(pl.col("street"))).to_series().to_list() == [street_key(s) for s in streets]


def file(*rows):
    columns = ("numero", "rep", "nom_voie", "code_insee", "lon", "lat", "x", "y", "type_position")
    return pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String), orient="row")


def test_each_number_has_one_position_the_most_exact_one():
    read = positions_in(
        file(
            ("12", "", "Rue de l'Église", "33063", "-0.5", "44.8", "", "", "segment"),
            ("12", "", "RUE DE L EGLISE", "33063", "-0.6", "44.9", "", "", "entrée"),
            ("12", "bis", "Rue de l'Église", "33063", "-0.7", "44.9", "", "", ""),
            ("12", "b", "Rue de l'Église", "33063", "-0.8", "44.9", "", "", ""),
        )
    )
    assert read.rows() == [
        ("33063", "RUE EGLISE", 12, "", -0.6, 44.9),
        ("33063", "RUE EGLISE", 12, "B", -0.8, 44.9),
    ]


def test_metres_stand_in_for_degrees_on_the_mainland_alone():
    metres = ("652469.02", "6862035.26")
    read = positions_in(
        file(
            ("1", "", "Rue Haute", "75101", "", "", *metres, ""),
            ("2", "", "Rue Haute", "75101", None, None, *metres, None),
            ("3", "", "Rue Haute", "97411", "", "", *metres, ""),
        )
    )
    assert [(row[2], round(row[4], 3), round(row[5], 3)) for row in read.rows()] == [
        (1, 2.352, 48.857),
        (2, 2.352, 48.857),
    ]


def test_rows_without_number_street_or_place_have_no_position():
    read = positions_in(
        file(
            ("", "", "Rue Haute", "33063", "-0.5", "44.8", "", "", ""),
            ("0", "", "Rue Haute", "33063", "-0.5", "44.8", "", "", ""),
            ("1", "", "", "33063", "-0.5", "44.8", "", "", ""),
            ("2", "", "Rue Haute", "33063", "999", "44.8", "", "", ""),
            ("3", "", "Rue Haute", "33063", "nan", "44.8", "", "", ""),
            ("4", "", "Rue Haute", None, "-0.5", "44.8", "", "", ""),
        )
    )
    assert read.rows() == []
    bare = pl.DataFrame({"numero": ["1"], "nom_voie": ["Rue Haute"], "code_insee": ["33063"]})
    assert positions_in(bare).rows() == []
