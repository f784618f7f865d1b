"""Which degree of agreement two written records come to: nicknames, compound, inverted and married names, dates."""

from collections.abc import Iterator

import duckdb
import pytest

from datadock.identity.comparisons import comparisons_for
from datadock.identity.features import build_features

FIELDS = {
    "civility": "civility", "given_name": "given_name", "family_name": "family_name", "birth_name": "birth_name",
    "birth_date": "birth_date", "email": "email", "phone": "phone", "mobile": "phone",
}  # fmt: skip


Told = dict[str, str]


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    connection = duckdb.connect()
    yield connection
    connection.close()


def levels(con: duckdb.DuckDBPyConnection, comparison: str, pairs: list[tuple[Told, Told]]) -> list[str]:
    """Return the level that each pair of records comes to, the same whichever stands first."""
    told = [record for pair in pairs for record in pair]
    rows = [
        ", ".join("null::varchar" if name not in one else "'" + one[name].replace("'", "''") + "'" for name in FIELDS)
        for one in told
    ]
    values = ", ".join(f"('s', '{place}', 'person', {row})" for place, row in enumerate(rows))
    relation = f"(select * from (values {values}) t(source, source_key, party_type, {', '.join(FIELDS)}))"
    features = build_features(con, relation, FIELDS, "told")
    (found,) = (c for c in comparisons_for(features.columns, "person") if c.name == comparison)
    sides = ", ".join(f"{side}.{name} as {name}_{side}" for side in "lr" for name in features.columns)
    cases = " ".join(f"when {x.sql} then '{x.name.replace(chr(39), chr(39) * 2)}'" for x in found.levels)
    answers = con.execute(
        f"select place, case when {found.unknown} then 'unknown' {cases} else 'differs' end from "
        f"(select l.source_key::int // 2 as place, {sides} from told l, told r "
        "where place = r.source_key::int // 2 and l.rid <> r.rid) order by all"
    ).fetchall()
    assert answers[::2] == answers[1::2]
    return [str(level) for _, level in answers[::2]]


GIVEN = [
    ("Jean-Pierre", "Jean Pierre", "same given name"),
    ("Jean-Pierre", "JEANPIERRE", "same given name"),
    ("Jean-Pierre", "Jean", "same first name or its nickname"),
    ("Jean-Pierre", "Jean-Paul", "given names alike"),
    ("Jean-Pierre", "Jeanpiere", "given name one slip away"),
    ("Stéphane", "Steph", "a nickname of several names"),
    ("Stéphanie", "Steph", "same first name or its nickname"),
    ("Catherine", "Cathy", "same first name or its nickname"),
    ("Antoine", "Toine", "same first name or its nickname"),
    ("Nathanaëlle", "Nath", "one given name within the other"),
    ("Sylvain", "S.", "only an initial, and it fits"),
    ("Gisèle", "Gizèle", "given name one slip away"),
    ("Marie", "Hélène", "differs"),
]


def test_given_names_agree_as_a_reader_would_say(con: duckdb.DuckDBPyConnection) -> None:
    pairs = [tuple({"given_name": name, "family_name": "Garnier"} for name in case[:2]) for case in GIVEN]
    assert levels(con, "given_name", pairs) == [case[2] for case in GIVEN]


SWAPPED = [
    (("Marie", "Lafeuille"), ("Lafeuille", "Marie")),
    (("Jean-Marie", "Lafeuille"), ("Lafeuille", "Jean-Marie")),
    (("Jean-Marie", "Lafeuille"), ("Lafeuille", "Jean")),
    (("Florence", "Aubry"), ("Aubrry", "Florence")),
    (("Florence", "Aubry"), ("Aubry", "Florrence")),
]


def test_names_in_each_others_place_are_told_once(con: duckdb.DuckDBPyConnection) -> None:
    pairs = [tuple(dict(zip(("given_name", "family_name"), names, strict=True)) for names in case) for case in SWAPPED]
    assert levels(con, "given_name", pairs) == ["given and family name swapped"] * len(SWAPPED)
    assert levels(con, "family_name", pairs) == ["unknown"] * len(SWAPPED)


FAMILY = [
    ({"family_name": "Dupont-Martin"}, {"family_name": "Martin"}, "one part of a double name in common"),
    ({"family_name": "Dupont", "birth_name": "Martin"}, {"family_name": "Martin"},
     "birth name of one is the other's name"),
    ({"family_name": "Dupont née Martin"}, {"family_name": "Martin"}, "birth name of one is the other's name"),
    ({"family_name": "Hagnié", "civility": "Mme", "email": "audrey.hagnie@orange.fr"},
     {"family_name": "Ferray", "civility": "Mme", "email": "ahagnie@gmail.com"},
     "another name, which stands in the e-mail"),
    ({"family_name": "Hagnié", "civility": "Mme"}, {"family_name": "Ferray", "civility": "Mme"},
     "another name, of a woman"),
    ({"family_name": "Hagnié", "civility": "M."}, {"family_name": "Ferray", "civility": "M."}, "differs"),
]  # fmt: skip


def test_a_woman_may_bear_several_family_names(con: duckdb.DuckDBPyConnection) -> None:
    pairs = [tuple({"given_name": "Audrey", **told} for told in case[:2]) for case in FAMILY]
    assert levels(con, "family_name", pairs) == [case[2] for case in FAMILY]


DATES = [
    ("12/03/1961", "03/12/1961", "day and month swapped"),
    ("12/03/1961", "13/03/1961", "birth date one digit away"),
    ("12/03/1961", "12/03/1989", "same day and month, another year"),
    ("12/03/1961", "25/10/1989", "a generation apart"),
    ("12/03/1961", "25/10/1966", "differs"),
]


def test_a_father_and_a_son_are_a_generation_apart(con: duckdb.DuckDBPyConnection) -> None:
    pairs = [tuple({"birth_date": told} for told in case[:2]) for case in DATES]
    assert levels(con, "birth_date", pairs) == [case[2] for case in DATES]


PHONES = [
    ({"mobile": "0612345699", "phone": "0144556677"}, {"mobile": "06 12 34 56 99"}, "same mobile"),
    ({"mobile": "0612345699", "phone": "0144556677"}, {"mobile": "0712345699", "phone": "0144556677"},
     "same landline, other mobiles"),
    ({"mobile": "0612345699", "phone": "0144556677"}, {"phone": "0144556677"}, "same landline"),
    ({"phone": "0612345699"}, {"mobile": "0612345699"}, "same mobile"),
    ({"phone": "0144556677"}, {"phone": "0144556687"}, "phone one digit away"),
]  # fmt: skip


def test_a_landline_is_a_households(con: duckdb.DuckDBPyConnection) -> None:
    assert levels(con, "phone", [case[:2] for case in PHONES]) == [case[2] for case in PHONES]
