import csv
import re

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from datadock.quality.address import AddressColumns, AddressInput, AddressNormaliser, normalise_addresses
from datadock.quality.address.columns import as_frame
from datadock.quality.reference import load_reference

NORMALISER = AddressNormaliser(load_reference())
VOCABULARY = """
12 5 0 14 1945 bis ter B D A rue r. av bd de du des la l' le Grande Général Saint ST Fleurs Appt Bât
3e étage Résidence Tour chez Mme BP CS N° 33500 Libourne 69002 Lyon 75008 Paris 8e CEDEX 13500 Le
Bourg lieu-dit , - ( France Belgique 1000 Bruxelles SARL M. Dupont République 8 mai place marché
01504 Ambérieu-en-Bugey Arbignieu 01300 Marsat 65200 zone industrielle quai allée lot 6.12E+08 <br>
&amp; 06.12.34.56.78 à 4 1 rue
"""
WORDS = st.sampled_from(VOCABULARY.split())
CODES = st.one_of(st.sampled_from(["69002", "33500", "1300", "x"]), st.text(max_size=6))
CITIES = st.sampled_from(["Lyon", "Libourne", "Liborune", "", "LYON CEDEX 2"])
ADDRESSES = st.one_of(st.lists(WORDS | st.just("\n"), max_size=14).map(" ".join), st.text(max_size=60))


@settings(max_examples=60, deadline=None)
@given(ADDRESSES)
def test_any_text_gives_lines_of_38_characters_and_normalising_twice_changes_nothing(text):
    first = NORMALISER.normalise(text)
    assert all(re.fullmatch(r"[A-Z0-9 ]{0,38}", line) for line in first.block)
    assert all(line == " ".join(line.split()) for line in first.block)
    assert len(first.voie) <= 38
    assert 0 <= first.score <= 100
    assert NORMALISER.normalise(first.as_input()).block == first.block


@settings(max_examples=12, deadline=None)
@given(st.lists(st.tuples(ADDRESSES, CODES, CITIES), max_size=8))
def test_one_by_one_and_in_bulk_agree_on_any_text(rows):
    frame = pl.DataFrame(rows, schema=["a", "p", "c"], orient="row")
    columns = AddressColumns(street="a", postal_code="p", city="c")
    one = [NORMALISER.normalise(AddressInput(street=a, postal_code=p, city=c)) for a, p, c in rows]
    assert normalise_addresses(frame, columns, normaliser=NORMALISER).rows() == as_frame(one).rows()
    single = normalise_addresses(frame, AddressColumns(("a",)), normaliser=NORMALISER)
    assert single.rows() == as_frame([NORMALISER.normalise(AddressInput((a,))) for a, _, _ in rows]).rows()


def test_one_by_one_and_in_bulk_agree_on_real_rows(published_data):
    with (published_data / "fr" / "mairies" / "mairies.csv").open(encoding="utf-8", newline="") as stream:
        halls = [(row["line1"], row["line2"], f"{row['line1']} {row['line2']}") for row in csv.DictReader(stream)]
    halls = halls[::60]
    frame = pl.DataFrame(halls, schema=["line1", "line2", "whole"], orient="row")
    two = normalise_addresses(frame, AddressColumns(("line1", "line2")), normaliser=NORMALISER)
    assert two.rows() == as_frame([NORMALISER.normalise(AddressInput(row[:2])) for row in halls]).rows()
    whole = normalise_addresses(frame, AddressColumns(("whole",)), normaliser=NORMALISER)
    assert whole.rows() == as_frame([NORMALISER.normalise(row[2]) for row in halls]).rows()


def test_normal_lines_of_real_rows_given_as_text_come_out_the_same(published_data):
    with (published_data / "fr" / "mairies" / "mairies.csv").open(encoding="utf-8", newline="") as stream:
        halls = [(row["line1"], row["line2"]) for row in csv.DictReader(stream)][::60]
    first = [NORMALISER.normalise(AddressInput(hall)) for hall in halls]
    again = [NORMALISER.normalise("\n".join(address.lines)) for address in first]
    changed = [(a.lines, b.lines) for a, b in zip(first, again, strict=True) if a.block != b.block]
    assert changed == []


def test_a_normalised_file_is_known_by_its_line_columns_and_stays_as_it_is():
    texts = pl.DataFrame({"a": ["Appt 2 12 bd Hugo 57000 Metz", "Fabas", "M. X\nLe Bourg\n24380 Lacropte"]})
    first = normalise_addresses(texts, AddressColumns(("a",)), normaliser=NORMALISER)
    again = normalise_addresses(first, [f"line_{n}" for n in range(1, 7)], normaliser=NORMALISER)
    assert again.select(pl.col("^line_.$")).rows() == first.select(pl.col("^line_.$")).rows()


def test_rows_keep_their_order_and_nulls_are_empty():
    frame = pl.DataFrame({"adresse": [None, "Appt 2 1 rue Haute", "1 rue Haute"], "cp": [None, "57000", "57000"],
                          "ville": [None, "Metz", "Metz"]})  # fmt: skip
    result = normalise_addresses(frame, ["adresse", "cp", "ville"], normaliser=NORMALISER)
    assert result.select("line_2", "line_4", "line_6", "status").rows() == [
        ("", "", "", "VIDE"),
        ("APPT 2", "1 RUE HAUTE", "57000 METZ", "CORRIGEE"),
        ("", "1 RUE HAUTE", "57000 METZ", "OK"),
    ]


def test_columns_may_have_any_name():
    for name in ("row", "text", "code", "city", "__0"):
        frame = pl.DataFrame({name: ["Appt 2 1 rue Haute 57000 Metz", "1 rue Haute 57000 Metz"] * 2})
        result = normalise_addresses(frame, AddressColumns((name,)), normaliser=NORMALISER)
        assert result["line_4"].to_list() == ["1 RUE HAUTE"] * 4
