"""The model file: kept as written, refused with names where a parameter cannot be trusted."""

import math
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from datadock.errors import ModelError
from datadock.identity.blocking import Rule
from datadock.identity.comparisons import comparisons_for
from datadock.identity.model import FEW_RECORDS, Model, check_model, load_model, load_term_frequencies, save_model

FEATURES = ("given", "given_first", "given_root", "family", "family_words", "birth_date", "emails", "mail_name")


def model() -> Model:
    comparisons = tuple(comparisons_for(FEATURES, "person"))
    counts = {c.name: len(c.levels) + 1 for c in comparisons}
    falling = {name: tuple(0.5**place for place in range(1, n + 1)) for name, n in counts.items()}
    rising = {name: tuple(reversed(values)) for name, values in falling.items()}
    return Model(
        party="person",
        fields={"given_name": "given_name", "family_name": "family_name"},
        features=FEATURES,
        rules=(Rule("same_email", ("unnest(emails)",), ("a@b.fr",)),),
        comparisons=comparisons,
        m=falling,
        u=rising,
        h=rising,
        match_share=1e-4,
        household_share=1e-5,
        records=10,
        shared={"emails": ("info@shop.fr",)},
        notes=("a note",),
        trained_at="2026-01-01T00:00:00+00:00",
    )


def test_a_model_is_read_as_it_was_written(tmp_path: Path) -> None:
    con = duckdb.connect()
    con.execute("create table tf as select 'anna' as given, 0.25 as tf_given")
    written = model()
    tables = {feature: "tf" for feature in written.tf_features}
    save_model(tmp_path, written, con, tables)
    assert load_model(tmp_path, "person") == written
    assert load_model(tmp_path, "company") is None
    loaded = load_term_frequencies(tmp_path, written, con)
    assert sorted(loaded) == ["birth_date", "family", "given", "given_root"]
    assert con.execute(f"from {loaded['given']}").fetchall() == [("anna", 0.25)]


def test_the_version_names_what_weights_depend_on() -> None:
    first = model()
    assert replace(first, trained_at="later", notes=()).version == first.version
    assert replace(first, match_share=2e-4).version != first.version


def test_a_sound_model_passes() -> None:
    check_model(model())


@pytest.mark.parametrize("value", [math.nan, 0.0, 1.0, -0.1, math.inf])
def test_an_untrained_level_is_refused_by_name(value: float) -> None:
    good = model()
    broken = replace(good, u={**good.u, "birth_date": (value, *good.u["birth_date"][1:])})
    with pytest.raises(ModelError, match="birth_date: level 'same birth date': u is"):
        check_model(broken)


def test_a_level_without_its_other_side_is_refused_by_name() -> None:
    good = model()
    broken = replace(good, m={**good.m, "email": good.m["email"][:-1]})
    with pytest.raises(ModelError, match="email: level 'differs': m is None"):
        check_model(broken)


def test_an_agreement_that_weighs_no_more_than_a_difference_is_refused() -> None:
    good = model()
    with pytest.raises(ModelError, match="given_name: 'same given name' weighs no more than 'differs'"):
        check_model(replace(good, m=good.u, u=good.u))


def test_nothing_to_compare_is_a_clear_error() -> None:
    with pytest.raises(ModelError, match="nothing to compare person records by"):
        check_model(replace(model(), comparisons=(), records=FEW_RECORDS))


def test_a_set_that_has_just_begun_may_have_nothing_to_compare() -> None:
    check_model(replace(model(), comparisons=(), records=FEW_RECORDS - 1))


@pytest.mark.parametrize("party", ["person", "company"])
def test_every_comparison_is_well_formed(party: str) -> None:
    every = [*FEATURES, "birth_name", "sex", "name_words", "birth_place", "occupation", "phones", "street", "house"]
    for comparison in comparisons_for([*every, "postcode", "city", "organisation", "id_card"], party):
        assert comparison.reason
        assert 0.9 < sum(level.m for level in comparison.levels) + comparison.differs_m < 1.2
        assert comparison.differs_m < comparison.differs_most < 1
        assert all(level.sql.count("_l") >= 1 and level.sql.count("_r") >= 1 for level in comparison.levels)
