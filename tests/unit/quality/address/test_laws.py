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


BESIDE = st.sampled_from(
    ["", " ", "Appt 3", "Bât D", "2e étage", "chez Mme Durand", "SARL Martin", "appt 3, bat B", "BP 12", "Le Bourg",
     "12 rue X", "57000 Metz", "<br>Appt 2", "service comptable", "Résidence du Parc", "France", "شقة 3", "QUAI G",
     "Immeuble Le Grand Large, entrée C, 3e étage droite et plus loin encore"]
)  # fmt: skip
NUMBERS = st.sampled_from(["", "12", "12 bis", "12bis,", "12 B", "12 R", "9999 B", "0", "1234", "12-14", "4e", "5 A"])
TYPES = st.sampled_from(
    ["rue", "r", "R.", "av", "Bd", "pl.", "clos", "lot", "za", "quai", "ch", "che rural", "route nationale", "cité",
     "rond point", "grande rue", ""]
)  # fmt: skip
STREETS = st.sampled_from(
    ["Victor Hugo", "du 8 mai 1945", "du 102e-Régiment-d'Infanterie", "Nationale", "rural", "de la tour", "B", "", "R",
     "du Maréchal Jean Marie de Lattre de Tassigny", "Le Moulin", "Rossignier", "de l'Église appt 4", "9 bis", "rue"]
)  # fmt: skip
SHAPED = st.tuples(NUMBERS, TYPES, STREETS).map(" ".join).map(str.strip)
PLACES = st.sampled_from(
    [("69002", "Lyon"), ("57000", "metz"), ("33500", "Liborune"), ("59000", ""), ("69002", "LYON CEDEX 02"),
     ("75008", "Paris 8e"), ("01300", "Arbignieu"), ("57000", "Metz <br>"), ("57000", "Москва"), (" 57000 ", "Metz"),
     ("24380", "Le Moulin"), ("00000", "Nulle-Part")]
)  # fmt: skip


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(BESIDE, SHAPED | ADDRESSES, PLACES, st.sampled_from(["", "FR", "Belgique"])), max_size=12))
def test_one_by_one_and_in_bulk_agree_on_streets_with_something_beside_them(rows):
    told = [(beside, street, code, city, country) for beside, street, (code, city), country in rows]
    frame = pl.DataFrame(told, schema=["a", "b", "p", "c", "l"], orient="row")
    columns = AddressColumns(("a", "b"), postal_code="p", city="c", country="l")
    one = [NORMALISER.normalise(AddressInput((a, b), postal_code=p, city=c, country=k)) for a, b, p, c, k in told]
    assert normalise_addresses(frame, columns, normaliser=NORMALISER).rows() == as_frame(one).rows()
    lines = [(a, b, f"{p} {c}") for a, b, p, c, _ in told]
    three = pl.DataFrame(lines, schema=["a", "b", "c"], orient="row")
    in_lines = normalise_addresses(three, AddressColumns(("a", "b", "c")), normaliser=NORMALISER)
    assert in_lines.rows() == as_frame([NORMALISER.normalise(AddressInput(line)) for line in lines]).rows()


def test_a_normal_block_in_free_lines_keeps_its_lines_in_bulk():
    lines = [("APPT 2", "", "", "12 BIS RTE HAUTE", "", "57000 METZ"), ("", "", "", "1 r Haute", "", "57000 Metz")]
    frame = pl.DataFrame(lines, schema=list("abcdef"), orient="row")
    found = normalise_addresses(frame, AddressColumns(tuple("abcdef")), normaliser=NORMALISER)
    assert found.rows() == as_frame([NORMALISER.normalise(AddressInput(line)) for line in lines]).rows()
    assert found["line_4"].to_list() == ["12 BIS RTE HAUTE", "1 RUE HAUTE"]


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
