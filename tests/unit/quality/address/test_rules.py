import csv

import pytest

from datadock.quality.address import AddressInput, normalise_address
from datadock.quality.evidence import Status
from datadock.quality.reference import load_reference
from datadock.quality.reference.streets import streets_of


def lines(text):
    return normalise_address(text).lines


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12 bis r de la Republique 69002 lyon", ("12 B RUE DE LA REPUBLIQUE", "69002 LYON")),
        ("Appt 3 Bât B 10 rue des Fleurs 33500 Libourne", ("APPT 3", "BAT B", "10 RUE DES FLEURS", "33500 LIBOURNE")),
        ("10 rue de la Tour 3e étage 33500 Libourne", ("3E ETAGE", "10 RUE DE LA TOUR", "33500 LIBOURNE")),
        ("33500 Libourne, 10 rue des Fleurs", ("10 RUE DES FLEURS", "33500 LIBOURNE")),
        ("10 rue des Fleurs BP 12 33500 Libourne", ("10 RUE DES FLEURS", "BP 12", "33500 LIBOURNE")),
        ("5 rue du 8 mai 1945 porte 3 57000 Metz", ("PORTE 3", "5 RUE DU 8 MAI 1945", "57000 METZ")),
        ("chez Mme Petit 15 Grande Rue 61570 Mortrée", ("CHEZ MME PETIT", "15 GRANDE RUE", "61570 MORTREE")),
        ("Le Bourg 24380 Lacropte", ("LE BOURG", "24380 LACROPTE")),
    ],
)
def test_one_line_is_cut_into_its_lines(text, expected):
    assert lines(text) == expected


@pytest.mark.parametrize(
    ("code", "city", "line", "status"),
    [
        ("33500", "Liborune", "33500 LIBOURNE", Status.CORRIGEE),
        ("33590", "Libourne", "33500 LIBOURNE", Status.CORRIGEE),
        ("", "Libourne", "33500 LIBOURNE", Status.CORRIGEE),
        ("1300", "Arbignieu", "01300 ARBOYS EN BUGEY", Status.CORRIGEE),
        ("51090", "Villedommange", "51390 VILLE DOMMANGE", Status.CORRIGEE),
        ("35178", "Bruz", "35170 BRUZ", Status.CORRIGEE),
        ("35172", "Bruz", "35172 BRUZ", Status.A_CONFIRMER),
        ("97280", "Fort-de-France", "97200 FORT DE FRANCE", Status.CORRIGEE),
        ("", "Fabas", "", Status.A_CONFIRMER),
        ("65200", "Marsat", "65200 MARSAT", Status.A_CONFIRMER),
        ("12/05/2020", "Strasbourg", "", Status.A_CONFIRMER),
        ("99999", "Nulleville", "99999 NULLEVILLE", Status.REJETEE),
    ],
)
def test_a_place_is_corrected_only_when_one_reading_is_left(code, city, line, status):
    address = normalise_address(AddressInput(street="1 rue Haute", postal_code=code, city=city))
    assert (address.line_6, address.status) == (line, status)


@pytest.mark.parametrize("city", ["Ambérieu-en-Bugey", "Ambérieu-en-Bugey Cedex", "Ambérieu-en-Bugey CEDEX 2"])
def test_a_cedex_code_is_never_turned_into_a_geographic_one(city):
    address = normalise_address(AddressInput(street="1 place X", postal_code="01504", city=city))
    assert (address.code_postal, address.code_insee) == ("01504", "01004")


@pytest.mark.parametrize(
    ("text", "status", "code"),
    [
        ("", Status.VIDE, None),
        ("   \n ", Status.VIDE, None),
        ("🏠🏠", Status.VIDE, None),
        ("ул. Ленина 5, Москва", Status.REJETEE, "TEXTE_ILLISIBLE"),
        ("شارع الملك فيصل", Status.REJETEE, "TEXTE_ILLISIBLE"),
        ("10 Downing Street\nLondon SW1A 2AA", Status.ETRANGERE, None),
        ("Hauptstraße 5, D-10115 Berlin", Status.ETRANGERE, None),
        ("Rue de la Loi 16, 1000 Bruxelles", Status.ETRANGERE, None),
        ("Calle Mayor 5\n28013 Madrid\nEspaña", Status.ETRANGERE, None),
        ("<b>1 rue Haute</b><br>57000 Metz", Status.CORRIGEE, "HTML_RETIRE"),
        ("1 rue Haute 57000 Metz tel 06 12 34 56 78", Status.CORRIGEE, "TELEPHONE_DANS_ADRESSE"),
        ("1 rue Haute 57000 Metz ; 3 rue Basse 33500 Libourne", Status.A_CONFIRMER, "DEUX_ADRESSES"),
        ("NPAI\n33000 Bordeaux", Status.REJETEE, "NPAI"),
        ("x" * 10_000, Status.REJETEE, "TEXTE_TRONQUE"),
    ],
)
def test_bad_input_has_a_status_and_a_reason(text, status, code):
    address = normalise_address(text)
    assert address.status == status
    assert code is None or code in address.codes


def test_every_correction_brings_its_evidence():
    address = normalise_address("12 bd Victor Hugo, 33500 Liborune")
    told = [(item.rule, item.field, item.before, item.after) for item in address.evidence]
    assert told == [
        ("COMMUNE_PROCHE", "commune", "LIBORUNE", "LIBOURNE"),
        ("TYPE_DEVELOPPE", "voie", "12 BD VICTOR HUGO", "BOULEVARD VICTOR HUGO"),
    ]
    assert address.evidence[0].reference == load_reference().version


@pytest.mark.parametrize(
    ("street", "expected"),
    [
        ("BOULEVARD DU MARECHAL JEAN MARIE DE LATTRE DE TASSIGNY", "BD MAL J M DE LATTRE DE TASSIGNY"),
        ("SQUARE DES SOEURS DE SAINT VINCENT DE PAUL", "SQ SOEURS DE ST VINCENT DE PAUL"),
        ("PLACE CHARLES DE GAULLE ET DE LA RESISTANCE", "PL C DE GAULLE DE LA RESISTANCE"),
        ("RUE L APPEL DU 18 JUIN DU GENERAL DE GAULLE", "RUE APPEL 18 JUIN GAL DE GAULLE"),
        ("AVENUE DE LA REPUBLIQUE", "AVENUE DE LA REPUBLIQUE"),
    ],
)
def test_a_label_is_abbreviated_only_when_too_long_and_no_more_than_needed(street, expected):
    assert normalise_address(AddressInput(street=f"1 {street}", postal_code="75015", city="Paris")).voie == expected


def test_a_street_is_checked_only_where_streets_of_its_commune_are_loaded():
    streets = streets_of([("33243", "Rue des Fleurs")])

    def checked(text):
        address = normalise_address(text, streets=streets)
        return address.street_checked, "VOIE_INCONNUE" in address.codes

    assert checked("10 rue des Fleurs 33500 Libourne") == (True, False)
    assert checked("10 rue des Pleurs 33500 Libourne") == (False, True)
    assert checked("10 rue des Fleurs 57000 Metz") == (False, False)


def test_the_labelled_cases_come_out_as_expected(published_data):
    statuses = {"ok": {"OK"}, "corrected": {"CORRIGEE"}, "suspect": {"A_CONFIRMER"}, "foreign": {"ETRANGERE"}}
    statuses["rejected"] = {"REJETEE", "VIDE"}
    with (published_data / "fr" / "rnvp_cases.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    wrong = []
    for row in rows:
        address = normalise_address(AddressInput(tuple(row[f"input_line{n}"] for n in range(1, 8))))
        accepted = [tuple(item.split("=", 1)) for item in row["also_accept"].split(";") if item]
        good = all(
            line == row[f"expected_{n}"] or (str(n), line) in accepted for n, line in enumerate(address.block, 1)
        )
        if not good or address.status.value not in statuses[row["expected_status"]]:
            wrong.append((row["id"], address.block, address.status))
    assert wrong == []
