"""Phone numbers: what each way of writing one means, and the laws that hold for any text."""

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from datadock.quality.evidence import Evidence, Status
from datadock.quality.phone import PHONE_SCHEMA, Phone, normalise_phone, normalise_phones

NUMBERS = st.from_regex(
    r"(0|\+33|0033|\+|)[ .]?[0-9]([ .\-/]?[0-9]){3,13}( ?(poste|/|ou) ?[0-9]{2,10})?", fullmatch=True
)


def read(text, region="FR"):
    phone = normalise_phone(text, region)
    return phone.value, phone.type, phone.status.value, phone.codes


def test_all_is_said_of_an_overseas_number_with_the_mainland_code():
    found = normalise_phone("+33 692 12 34 56")
    assert found == Phone(
        "+262692123456", None, "mobile", Status.CORRIGEE, ("INDICATIF_OUTRE_MER",), "RE",
        "Société réunionnaise du radiotéléphone", None, (),
        (Evidence("INDICATIF_OUTRE_MER", "value", "+33 692 12 34 56", "+262692123456", "arcep_ranges 0.1.1"),),
    )  # fmt: skip


@pytest.mark.parametrize("text", ["06 98 12 34 57", "06.98.12.34.57", "+33 (0)6 98 12 34 57", "0033698123457",
                                  "tel:+33698123457", "Portable : 0698123457", "06/98/12/34/57", "٠٦٩٨١٢٣٤٥٧",
                                  "<b>06&nbsp;98 12 34 57</b>", '="0698123457"', "06 98 12 34 57\u202c"])  # fmt: skip
def test_ways_of_writing_a_number_are_no_correction(text):
    assert read(text) == ("+33698123457", "mobile", "OK", ())


@pytest.mark.parametrize(
    ("text", "code"),
    [("698123457", "ZERO_PERDU"), ("33698123457", "INDICATIF_SANS_PLUS"), ("+33 06 98 12 34 57", "ZERO_EN_TROP"),
     ("appeler le 06 98 12 34 57 le soir", "TEXTE_IGNORE")],
)  # fmt: skip
def test_a_repaired_number_is_corrected_and_says_how(text, code):
    assert read(text) == ("+33698123457", "mobile", "CORRIGEE", (code,))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("6,98123457E+08", ("+33698123457", "mobile", "CORRIGEE", ("ZERO_PERDU", "FORMAT_TABLEUR"))),
        ("698123457.0", ("+33698123457", "mobile", "CORRIGEE", ("ZERO_PERDU", "FORMAT_TABLEUR"))),
        ("6.98E+08", (None, "", "REJETEE", ("FORMAT_TABLEUR", "CHIFFRES_PERDUS"))),
    ],
)
def test_a_spreadsheet_number_is_read_only_where_no_digit_is_lost(text, expected):
    assert read(text) == expected


@pytest.mark.parametrize(
    ("text", "value", "region"),
    [("0590 12 34 56", "+590590123456", "GP"), ("0594 30 12 34", "+594594301234", "GF"),
     ("0596 12 34 56", "+596596123456", "MQ"), ("0262 12 34 57", "+262262123457", "RE"),
     ("0269 60 12 34", "+262269601234", "YT"), ("0508 41 23 45", "+508412345", "PM"),
     ("0697 12 34 57", "+596697123457", "MQ"),
     ("0639 12 34 57", "+262639123457", "YT")],
)  # fmt: skip
def test_an_overseas_number_takes_its_own_country_code(text, value, region):
    found = normalise_phone(text)
    assert (found.value, found.region, found.status) == (value, region, Status.OK)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0163 12 34 57", ("+33163123457", "polyvalent_verifie", "A_CONFIRMER", ("DEMARCHAGE_AUTOMATISE",))),
        ("0805 12 34 57", ("+33805123457", "service_gratuit", "A_CONFIRMER", ("NUMERO_DE_SERVICE",))),
        ("06 77 77 77 77", ("+33677777777", "mobile", "A_CONFIRMER", ("CHIFFRES_REPETES",))),
        ("06 11 22 33 44", ("+33611223344", "mobile", "A_CONFIRMER", ("CHIFFRES_EN_SUITE",))),
        ("0720123457", (None, "", "REJETEE", ("TRANCHE_FERMEE",))),
        ("3639", (None, "numero_court", "REJETEE", ("NUMERO_COURT",))),
        ("06 98 12 34", (None, "", "REJETEE", ("LONGUEUR",))),
        ("12/05/1980", (None, "", "REJETEE", ("DATE",))),
        ("a@b.fr", (None, "", "REJETEE", ("EMAIL_DANS_TELEPHONE",))),
        ("non renseigné", (None, "", "REJETEE", ("VALEUR_BOUCHON",))),
        ("😀", (None, "", "REJETEE", ("SANS_CHIFFRE",))),
        ("  ", (None, "", "VIDE", ())),
        ("1" * 10_000, (None, "", "REJETEE", ("TEXTE_TROP_LONG",))),
    ],
)
def test_a_number_that_nobody_should_call_says_why(text, expected):
    assert tuple(code for code in read(text)[3] if code != "TRANCHE_NON_ATTRIBUEE") == expected[3]
    assert read(text)[:3] == expected[:3]


def test_a_letter_in_the_place_of_a_digit_is_only_a_proposal():
    found = normalise_phone("O6 98 12 34 57")
    assert (found.value, found.proposal, found.status) == (None, "+33698123457", Status.A_CONFIRMER)


@pytest.mark.parametrize(
    "text", ["06 98 12 34 57 / 05 56 12 34 57", "0698123457 0556123457", "0698123457 ou 0556123457"]
)
def test_two_numbers_in_a_cell_are_both_kept_and_to_be_confirmed(text):
    found = normalise_phone(text)
    assert (found.value, found.others, found.status) == ("+33698123457", ("+33556123457",), Status.A_CONFIRMER)


def test_an_extension_stands_beside_the_number():
    assert normalise_phone("05 56 12 34 57 poste 12").extension == "12"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("+32 475 12 34 57", ("+32475123457", "mobile", "OK", ("NUMERO_ETRANGER",))),
        ("0044 20 7946 0959", ("+442079460959", "fixe", "OK", ("NUMERO_ETRANGER",))),
        ("32475123457", ("+32475123457", "mobile", "A_CONFIRMER", ("NUMERO_ETRANGER", "INDICATIF_SANS_PLUS"))),
    ],
)
def test_a_number_abroad_is_certain_only_with_its_plus(text, expected):
    assert read(text) == expected


def test_a_national_number_is_read_by_the_country_that_is_asked_for():
    assert read("0475 12 34 57", "BE") == ("+32475123457", "mobile", "OK", ())


@given(st.lists(st.one_of(st.none(), st.text(max_size=40), NUMBERS), max_size=12))
@settings(max_examples=20, deadline=None)
@example(["0698123457", None, "0698123457", "\x00", "6.1E+8"])
def test_a_column_and_its_values_one_by_one_give_the_same(texts):
    bulk = normalise_phones(pl.Series(texts, dtype=pl.String))
    one = [normalise_phone(text) for text in texts]
    assert bulk.schema == pl.Schema(PHONE_SCHEMA)
    for name in PHONE_SCHEMA:
        expected = [getattr(phone, name) for phone in one]
        if name in ("codes", "others"):
            expected = [list(value) for value in expected]
        if name == "evidence":
            expected = [
                [{"rule": e.rule, "field": e.field, "before": e.before, "after": e.after, "reference": e.reference}
                 for e in value] for value in expected
            ]  # fmt: skip
        assert bulk[name].to_list() == expected


@given(st.one_of(NUMBERS, st.text(alphabet="0123456789+ .-/()ExO", max_size=20)))
@settings(max_examples=50, deadline=None)
def test_normalising_twice_changes_nothing(text):
    once = normalise_phone(text)
    if once.value is not None:
        again = normalise_phone(once.value)
        assert (again.value, again.type, again.region) == (once.value, once.type, once.region)
        assert again.status in (Status.OK, Status.A_CONFIRMER)
