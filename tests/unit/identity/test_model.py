"""The model file: kept as written, refused with names where a parameter cannot be trusted."""

import math
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from datadock.errors import ModelError
from datadock.identity.comparisons import comparisons_for
from datadock.identity.model import (
    FEW_RECORDS,
    Model,
    check_model,
    load_model,
    load_term_frequencies,
    make_current,
    save_model,
)

FEATURES = ("given", "given_first", "given_root", "family", "family_words", "birth_date", "emails", "mail_name")


def test_a_model_is_read_as_it_was_written(sound: Model, tmp_path: Path) -> None:
    con = duckdb.connect()
    con.execute("create table tf as select 'anna' as given, 0.25 as tf_given")
    tables = {feature: "tf" for feature in sound.tf_features}
    save_model(tmp_path, sound, con, tables)
    assert load_model(tmp_path, "person") is None
    make_current(tmp_path, sound)
    assert load_model(tmp_path, "person") == sound
    assert load_model(tmp_path, "company") is None
    loaded = load_term_frequencies(tmp_path, sound, con)
    assert sorted(loaded) == ["birth_date", "family", "given", "given_root"]
    assert con.execute(f"from {loaded['given']}").fetchall() == [("anna", 0.25)]


def test_the_version_names_what_weights_depend_on(sound: Model) -> None:
    assert replace(sound, trained_at="later", notes=()).version == sound.version
    assert replace(sound, match_share=2e-4).version != sound.version


def test_a_sound_model_passes(sound: Model) -> None:
    check_model(sound)


@pytest.mark.parametrize("value", [math.nan, 0.0, 1.0, -0.1, math.inf])
def test_an_untrained_level_is_refused_by_name(sound: Model, value: float) -> None:
    broken = replace(sound, u={**sound.u, "birth_date": (value, *sound.u["birth_date"][1:])})
    with pytest.raises(ModelError, match="birth_date: level 'same birth date': u is"):
        check_model(broken)


def test_a_level_without_its_other_side_is_refused_by_name(sound: Model) -> None:
    broken = replace(sound, m={**sound.m, "email": sound.m["email"][:-1]})
    with pytest.raises(ModelError, match="email: level 'differs': m is None"):
        check_model(broken)


def test_an_agreement_that_weighs_no_more_than_a_difference_is_refused(sound: Model) -> None:
    with pytest.raises(ModelError, match="given_name: 'same given name' weighs no more than 'differs'"):
        check_model(replace(sound, m=sound.u, u=sound.u))


def test_nothing_to_compare_is_a_clear_error(sound: Model) -> None:
    with pytest.raises(ModelError, match="nothing to compare person records by"):
        check_model(replace(sound, comparisons=(), records=FEW_RECORDS))


def test_a_set_that_has_just_begun_may_have_nothing_to_compare(sound: Model) -> None:
    check_model(replace(sound, comparisons=(), records=FEW_RECORDS - 1))


@pytest.mark.parametrize("party", ["person", "company"])
def test_every_comparison_is_well_formed(party: str) -> None:
    every = [*FEATURES, "birth_name", "sex", "name_words", "birth_place", "occupation", "phones", "street", "house"]
    for comparison in comparisons_for([*every, "postcode", "city", "organisation", "id_card"], party):
        assert comparison.reason
        assert 0.9 < sum(level.m for level in comparison.levels) + comparison.differs_m < 1.2
        assert comparison.differs_m < comparison.differs_most < 1
        assert all(level.sql.count("_l") >= 1 and level.sql.count("_r") >= 1 for level in comparison.levels)
