from datetime import date

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from datadock.demo import alter
from datadock.demo.streams import stream

NAMES = pl.Series("name", ["Jean-Pierre", "Éloïse", None, "Lé", "Durand"])


def rng():
    return stream(1, 1, "test")


def test_a_rate_of_zero_changes_nothing():
    for changed in (alter.typo(NAMES, rng(), 0), alter.blank(NAMES, rng(), 0), alter.nickname(NAMES, rng(), 0)):
        assert changed.to_list() == NAMES.to_list()


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text(alphabet="abcdéïç '-", min_size=3, max_size=12), min_size=1, max_size=20), st.integers(0, 999))
def test_a_typo_changes_a_word_by_one_letter_at_most_and_never_empties_it(words, seed):
    struck = alter.typo(pl.Series(words), stream(seed, 1, "typo"), 1.0).to_list()
    assert all(abs(len(after) - len(before)) <= 1 and after for before, after in zip(words, struck, strict=True))
    for before, after in zip(words, struck, strict=True):
        if len(before) == len(after):
            assert sum(left != right for left, right in zip(before, after, strict=True)) <= 2


def test_words_of_two_letters_and_nulls_survive_typos():
    assert alter.typo(pl.Series(["Lé", None, "Jo"]), rng(), 1.0).to_list() == ["Lé", None, "Jo"]


def test_a_compound_name_loses_its_hyphen_or_its_second_part():
    loosened = set(alter.loosen_hyphen(pl.Series(["Jean-Pierre"] * 40), rng(), 1.0))
    assert loosened == {"Jean Pierre", "Jean"}
    assert alter.loosen_hyphen(pl.Series(["Paul", None]), rng(), 1.0).to_list() == ["Paul", None]


def test_day_and_month_are_swapped_only_where_the_day_can_be_a_month():
    days = pl.Series([date(1980, 3, 12), date(1980, 3, 25), None])
    assert alter.shaken_birth_date(days, rng(), 1.0, 0.0).to_list() == [date(1980, 12, 3), date(1980, 3, 25), None]


def test_dates_are_written_in_the_usual_format_but_for_the_mixed_ones():
    days = pl.Series([date(1980, 3, 12)] * 200)
    assert set(alter.written_date(days, rng(), "%d/%m/%Y", 0.0, ("%Y",))) == {"12/03/1980"}
    assert set(alter.written_date(days, rng(), "%d/%m/%Y", 1.0, ("%Y", "%m"))) == {"1980", "03"}


def test_only_masked_rows_become_capitals():
    assert alter.upper(pl.Series(["é", "b"]), np.array([True, False])).to_list() == ["É", "b"]


def test_junk_takes_the_place_of_values_at_its_rate():
    assert set(alter.junk(NAMES, rng(), 1.0, ("inconnu", "."))) <= {"inconnu", "."}
