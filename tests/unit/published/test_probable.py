"""Whether a contact exists already: read as typed, looked up by normal forms, told with what agrees."""

import json
from datetime import date

import pytest
from typer.testing import CliRunner

from datadock.cli.quality import app
from datadock.errors import DatadockError
from datadock.probable import Reason, find_probable, open_finder


@pytest.fixture(scope="module")
def find(published):
    with open_finder(published) as finder:
        yield lambda **typed: [
            (one.golden_id, one.certainty, tuple(reason.field for reason in one.reasons), one.differs)
            for one in finder.find(**typed)
        ]


def test_a_contact_of_two_records_is_found_by_what_either_of_them_says(published):
    typed = {"given_name": "elodie", "family_name": "MARTIN", "birth_date": "12/03/1984"}
    (found,) = find_probable(published, **typed, email="Elodie.Martin+news@gmail.com", postcode="69002")
    assert (found.golden_id, found.certainty, found.differs) == ("DK1", "very likely", ())
    assert found.reasons == (
        Reason("email", "elodiemartin@gmail.com"),
        Reason("birth_date", "1984-03-12"),
        Reason("family_name", "MARTIN"),
        Reason("given_name", "ELODIE"),
        Reason("postcode", "69002"),
    )
    assert found.values == {
        "party_type": "person",
        "given_name": "Élodie",
        "family_name": "Martin",
        "birth_date": date(1984, 3, 12),
        "postcode": "69002",
        "n_records": 2,
        "n_sources": 2,
    }


def test_people_of_one_phone_are_told_apart_by_their_first_names(find):
    assert find(phone="06.12.34.56.78", given_name="Léo", family_name="Martin") == [
        ("DK2", "very likely", ("phone", "family_name", "given_name"), ()),
        ("DK1", "possible", ("phone", "family_name"), ("given_name",)),
    ]


def test_a_father_of_the_same_name_is_only_possible(find):
    assert find(given_name="Léo", family_name="Martin", phone="0612345678", birth_date="1980-01-01")[0] == (
        "DK2",
        "possible",
        ("phone", "family_name", "given_name"),
        ("birth_date",),
    )


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ({"phone": "+33 6 12 34 56 78"}, [("DK1", "possible", ("phone",), ()), ("DK2", "possible", ("phone",), ())]),
        ({"email": "DURAND@martin-web.fr"}, [("DK3", "likely", ("email",), ())]),
        (
            {"email": "durand@martin-web.fr", "given_name": "Paul", "family_name": "Autre"},
            [],
        ),
        (
            {"given_name": "Martin", "family_name": "Elodie", "birth_date": "1984-03-12"},
            [("DK1", "likely", ("birth_date", "family_name", "given_name"), ())],
        ),
        (
            {"given_name": "Elodie", "family_name": "Martin", "postcode": "69002"},
            [("DK1", "possible", ("family_name", "given_name", "postcode"), ())],
        ),
        (
            {"given_name": "L.", "family_name": "Martin", "address": "12, r. de la Gare", "postcode": "69002"}
            | {"city": "lyon"},
            [
                ("DK2", "possible", ("address", "family_name", "postcode"), ()),
            ],
        ),
    ],
    ids=["a phone alone", "an e-mail alone", "another name", "swapped names", "name and code", "an initial"],
)
def test_what_agrees_decides_how_probable_it_is(find, typed, found):
    assert find(**typed) == found


@pytest.mark.parametrize(
    "typed",
    [
        {"email": "nobody@martin-web.fr"},
        {"email": "old@martin-web.fr"},
        {"phone": "99"} | {"email": "nobody@martin-web.fr"},
        {"given_name": "Gone", "family_name": "Martin", "birth_date": "1984-03-12"},
        {"given_name": "Elodie", "family_name": "Martin", "postcode": "13001"},
        {"family_name": "Autrui", "address": "12 rue de la Gare", "postcode": "69002", "city": "Lyon"},
    ],
    ids=["unknown", "said no more", "junk", "a record without a contact", "elsewhere", "another family"],
)
def test_nobody_is_found_where_too_little_agrees(find, typed):
    assert find(**typed) == []


@pytest.mark.parametrize("typed", [{}, {"given_name": "Jean"}, {"family_name": "Martin"}, {"email": "?"}])
def test_too_little_to_look_for_is_refused_with_what_to_give(published, typed):
    with pytest.raises(DatadockError, match="too little was given"):
        find_probable(published, **typed)


def test_a_birth_date_that_is_none_is_refused(published):
    with pytest.raises(DatadockError, match="is not a date"):
        find_probable(published, family_name="Martin", birth_date="yesterday")


def test_the_command_tells_who_it_is_and_ends_well_either_way(published, monkeypatch):
    monkeypatch.setenv("DATADOCK_HOME", str(published.home))
    runner = CliRunner()
    found = runner.invoke(app, ["exists", "--email", "durand@martin-web.fr"])
    assert (found.exit_code, found.output.splitlines()[:2]) == (
        0,
        ["DK3  likely", "  agrees: email durand@martin-web.fr"],
    )
    nobody = runner.invoke(app, ["exists", "--email", "nobody@martin-web.fr"])
    assert (nobody.exit_code, nobody.output) == (0, "No such contact is known.\n")
    programs = runner.invoke(app, ["exists", "--phone", "0612345678", "--family-name", "Martin", "--json"])
    assert [(one["golden_id"], one["certainty"]) for one in json.loads(programs.output)] == [
        ("DK1", "likely"),
        ("DK2", "likely"),
    ]
