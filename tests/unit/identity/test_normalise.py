"""Normal forms: cases as a steward would write them, and normalising twice changes nothing."""

from collections.abc import Iterator

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from datadock.identity.normalise import install_macros


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    connection = duckdb.connect()
    install_macros(connection)
    yield connection
    connection.close()


def normal(con: duckdb.DuckDBPyConnection, macro: str, text: str | None) -> object:
    return con.execute(f"select {macro}($1::varchar)", [text]).fetchall()[0][0]


CASES = [
    ("dd_given", "Éloïse", "eloise"),
    ("dd_given", "M. Jean-Pierre", "jean pierre"),
    ("dd_given", "xxx", None),
    ("dd_given", ".", None),
    ("dd_family", "de la Fontaine", "fontaine"),
    ("dd_family", "O'Brien", "obrien"),
    ("dd_family", "DUPONT née MARTIN", "dupont"),
    ("dd_family", "DUPONT-MARTIN", "dupont martin"),
    ("dd_family", "inconnu", None),
    ("dd_family", "n/a", None),
    ("dd_birth", "DUPONT née MARTIN", "martin"),
    ("dd_organisation", "S.A.R.L. Bal & Fils", "bal fils"),
    ("dd_organisation", "BAL ET FILS (SARL)", "bal fils"),
    ("dd_organisation", "S.N.C.F.", "sncf"),
    ("dd_organisation", "Éts Thévenin", "thevenin"),
    ("dd_siren", "303 265 045", "303265045"),
    ("dd_siren", "303 265 045 00010", "303265045"),
    ("dd_siren", "FR 40 303265045", "303265045"),
    ("dd_siren", "30326504", None),
    ("dd_sound_siren", "303265046", None),
    ("dd_sound_siren", "303265045", "303265045"),
    ("dd_full_family", "Jean DUPONT", "DUPONT"),
    ("dd_full_family", "DUPONT Jean", "DUPONT"),
    ("dd_full_family", "Dupont, Jean", "Dupont"),
    ("dd_full_given", "Mme Anne Marie DUPONT", "Anne Marie"),
    ("dd_full_family", "john smith", "smith"),
    ("dd_full_given", "john smith", "john"),
    ("dd_phone", "06 12 34 56 78", "+33612345678"),
    ("dd_phone", "+33 (0)6 12 34 56 78", "+33612345678"),
    ("dd_phone", "0033 6 12 34 56 78", "+33612345678"),
    ("dd_phone", "612345678", "+33612345678"),
    ("dd_phone", "+44 20 7946 0958", "+442079460958"),
    ("dd_phone", "0600000000", None),
    ("dd_phone", "00 00 00 00 00", None),
    ("dd_phone", "3975", None),
    ("dd_email", " Jean+shop@Orange.FR ", "jean@orange.fr"),
    ("dd_email", "mailto:jean@orange.fr", "jean@orange.fr"),
    ("dd_email", "jean.orange.fr", None),
    ("dd_email", "pasdemail@aucun.fr", None),
    ("dd_email", "noreply@site.fr", None),
    ("dd_date", "1980-03-12", "19800312"),
    ("dd_date", "12/03/1980", "19800312"),
    ("dd_date", "19800312", "19800312"),
    ("dd_date", "01/01/1900", None),
    ("dd_date", "2999-01-01", None),
    ("dd_date", "yesterday", None),
    ("dd_number", "12 bis rue de la Paix", "12 bis"),
    ("dd_street", "12 bis r de la Paix", "rue de la paix"),
    ("dd_street", "8 av. du Gal Leclerc", "avenue du general leclerc"),
    ("dd_street", "kent st", "kent street"),
    ("dd_street", "r st Honoré", "rue saint honore"),
    ("dd_city", "PARIS 8e", "paris"),
    ("dd_city", "St-Étienne Cedex 2", "saintetienne"),
    ("dd_postcode", "TQ13 8DF", "tq138df"),
    ("dd_postcode", "00000", None),
    ("dd_identifier", "123 456-789", "123456789"),
    ("dd_identifier", "0000000", None),
    ("dd_organisation", "SARL Dupont & Fils", "dupont fils"),
    ("dd_sex", "Mme", "f"),
    ("dd_sex", "male", "m"),
    ("dd_sex", "?", None),
]


@pytest.mark.parametrize(("macro", "text", "expected"), CASES)
def test_a_value_has_its_normal_form(
    con: duckdb.DuckDBPyConnection, macro: str, text: str, expected: str | None
) -> None:
    assert normal(con, macro, text) == expected


@pytest.mark.parametrize("macro", sorted({macro for macro, _, _ in CASES}))
def test_null_and_blank_have_no_normal_form(con: duckdb.DuckDBPyConnection, macro: str) -> None:
    assert normal(con, macro, None) is None
    assert normal(con, macro, "   ") in (None, "")


@pytest.mark.parametrize(
    "macro", ["dd_given", "dd_email", "dd_phone", "dd_city", "dd_postcode", "dd_identifier", "dd_date"]
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.one_of(st.text(max_size=25), st.sampled_from([case[1] for case in CASES])))
def test_normalising_twice_changes_nothing(con: duckdb.DuckDBPyConnection, macro: str, text: str) -> None:
    once = normal(con, macro, text.replace("\x00", ""))
    assert once is None or normal(con, macro, str(once)) == once
