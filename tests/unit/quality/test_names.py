"""Names: display, keys, sex and civility; nothing is filled in, and any text gives a result."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datadock.quality.evidence import Evidence, Status
from datadock.quality.full_name import normalise_full_name, normalise_full_names
from datadock.quality.names import NAME_SCHEMA, Name, normalise_name, normalise_names

WORDS = st.sampled_from(
    ["JEAN", "pierre", "Camille", "élodie", "ELODIE", "DE", "la", "d'", "O'BRIEN", "MCDONALD", "née", "épouse", "Mme",
     "M.", "VAN", "der", "<b>", "2", "TEST", "Иван", "(MARTIN)", "DUPONT-MARTIN", "\u200b", "😀", "St", "-"]
)  # fmt: skip
TEXTS = st.one_of(st.none(), st.text(max_size=25), st.lists(WORDS, max_size=5).map(" ".join))


def test_all_is_said_of_a_name_in_its_parts():
    assert normalise_name("elodie", "DE LA FONTAINE née MARTIN", "Mlle") == Name(
        "Élodie de La Fontaine", "MME", None, None, "Élodie", "de La Fontaine", "Martin", "ELODIE", "FONTAINE", "F",
        1.0,
        Status.CORRIGEE, ("MLLE_EN_MME", "ACCENT_RESTITUE", "NOM_DE_NAISSANCE"),
        (Evidence("MLLE_EN_MME", "civility", "Mlle", "MME"),
         Evidence("ACCENT_RESTITUE", "first_name", "elodie", "Élodie", "first_name_spellings 2019"),
         Evidence("NOM_DE_NAISSANCE", "last_name", "DE LA FONTAINE née MARTIN", "de La Fontaine")),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "shown"),
    [("d'ormesson", "d'Ormesson"), ("DE GAULLE", "de Gaulle"), ("LE BIHAN", "Le Bihan"), ("DES MOULINS", "Des Moulins"),
     ("DU BELLAY", "Du Bellay"), ("VAN DER BERG", "Van der Berg"), ("MCDONALD", "McDonald"), ("O’NEILL", "O'Neill"),
     ("DE L'ESTOILE", "de L'Estoile"), ("MARTIN-DURAND", "Martin-Durand"), ("EL KHOURY", "El Khoury"), ("ÉTÉ", "Été"),
     ("DUPONT DE NEMOURS", "Dupont de Nemours"), ("LeGall", "LeGall"), ("DE LOS SANTOS", "de los Santos")],
)  # fmt: skip
def test_a_family_name_is_shown_with_its_particles(text, shown):
    found = normalise_name(last_name=text)
    assert (found.value, found.status) == (shown, Status.OK)


@pytest.mark.parametrize(
    ("text", "used", "birth"),
    [("DUPONT née MARTIN", "Dupont", "Martin"), ("MARTIN épouse DUPONT", "Dupont", "Martin"),
     ("DUPONT NEE MARTIN", "Dupont", "Martin"), ("Vve DURAND", "Durand", None)],
)  # fmt: skip
def test_a_name_before_marriage_stands_apart(text, used, birth):
    found = normalise_name(last_name=text)
    assert (found.last_name, found.birth_name) == (used, birth)


@pytest.mark.parametrize(
    ("variants", "key"),
    [(("de La Fontaine", "DE LA FONTAINE", "Fontaine"), "FONTAINE"), (("Le Gall", "LEGALL"), "LEGALL"),
     (("Van der Berg", "BERG"), "BERG"), (("d'Ormesson", "D’ORMESSON"), "ORMESSON")],
)  # fmt: skip
def test_the_key_of_a_family_name_forgets_particles(variants, key):
    assert {normalise_name(last_name=text).last_key for text in variants} == {key}


@pytest.mark.parametrize("name", ["Claude", "DOMINIQUE", "camille", "Andrea", "Camille-Xyz"])
def test_mixed_first_names_stay_silent_with_either_civility(name):
    for civility in ("M", "Mme"):
        found = normalise_name(name, civility=civility)
        assert (found.type, found.status) == ("", Status.OK)


@pytest.mark.parametrize(
    ("civility", "name"), [("Monsieur", "Nathalie"), ("Mme", "Jean-Marie"), ("Mr", "ELODIE"), ("Mlle", "Michel")]
)
def test_a_first_name_of_the_other_sex_raises_an_alert(civility, name):
    found = normalise_name(name, civility=civility)
    assert "CIVILITE_PRENOM_DISCORDANTS" in found.codes
    assert found.status is Status.A_CONFIRMER
    assert found.proposed_civility is None


def test_a_missing_civility_is_proposed_and_never_filled():
    found = normalise_name("Nathalie", civility="")
    assert (found.civility, found.proposed_civility, found.status) == (None, "MME", Status.A_CONFIRMER)
    assert normalise_name("Nathalie").codes == ()


@pytest.mark.parametrize(
    ("first", "last", "code"),
    [("jean pierre", None, "TRAIT_UNION_SUGGERE"), ("Test", None, "VALEUR_BOUCHON"), (None, "XXX", "VALEUR_BOUCHON"),
     ("DUPONT", "Nathalie", "INVERSION_PROBABLE"), (None, "D ORMESSON", "APOSTROPHE_SUGGEREE"),
     ("Иван", None, "ECRITURE_NON_LATINE"), ("jean2", None, "CHIFFRE_DANS_NOM"),
     (None, "SARL DUPONT", "PERSONNE_MORALE")],
)  # fmt: skip
def test_a_doubt_is_to_be_confirmed_with_its_reason(first, last, code):
    found = normalise_name(first, last)
    assert code in found.codes
    assert found.status is Status.A_CONFIRMER


@pytest.mark.parametrize("text", ["12345", "a@b.fr", "x" * 10_000, "😀"])
def test_what_is_no_name_is_rejected(text):
    assert normalise_name(text).status is Status.REJETEE
    assert normalise_name(text).value is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [("Mme Marie DURAND", ("MME", "Marie", "Durand")), ("DURAND Marie", (None, "Marie", "Durand")),
     ("Durand, Marie", (None, "Marie", "Durand")), ("Charles de Gaulle", (None, "Charles", "de Gaulle")),
     ("M. Dupont", ("M", None, "Dupont")), ("Monsieur|Paul|LE GALL", ("M", "Paul", "Le Gall"))],
)  # fmt: skip
def test_a_whole_name_is_told_apart(text, expected):
    found = normalise_full_name(text)
    assert (found.civility, found.first_name, found.last_name) == expected


@given(st.lists(st.tuples(TEXTS, TEXTS, TEXTS), min_size=1, max_size=8))
@settings(max_examples=20, deadline=None)
def test_columns_and_their_values_one_by_one_give_the_same(rows):
    first, last, civility = (pl.Series(list(column), dtype=pl.String) for column in zip(*rows, strict=True))
    one = [normalise_name(*(text or "" for text in row)) for row in rows]
    whole = [normalise_full_name(row[0]) for row in rows]
    for bulk, names in ((normalise_names(first, last, civility), one), (normalise_full_names(first), whole)):
        assert bulk.schema == pl.Schema(NAME_SCHEMA)
        for field in ("value", "civility", "proposed_civility", "first_key", "last_key", "birth_name", "type"):
            assert bulk[field].to_list() == [getattr(name, field) for name in names]
        assert bulk["status"].to_list() == [name.status.value for name in names]
        assert bulk["codes"].to_list() == [list(name.codes) for name in names]


@given(TEXTS, TEXTS)
@settings(max_examples=60, deadline=None)
def test_normalising_twice_changes_nothing(first, last):
    once = normalise_name(first, last)
    again = normalise_name(once.first_name, once.last_name)
    fields = ("value", "first_name", "last_name", "first_key", "last_key", "type")
    assert [getattr(again, field) for field in fields] == [getattr(once, field) for field in fields]
