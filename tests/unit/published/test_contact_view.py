"""One person in one call: contact points, channels and what is odd about the names of the records."""

import pytest

from datadock import contact_view


@pytest.fixture
def view(published, monkeypatch):
    monkeypatch.setattr(contact_view, "find_golden_id", lambda _settings, reference: reference)
    return contact_view.view_contact(published, "DK1")


def test_contact_points_of_all_records_are_told_with_their_state_current_ones_first(view):
    told = ("kind", "normal_form", "usable", "reason", "is_current", "source", "source_key")
    assert [tuple(row[name] for name in told) for row in view["contact_points"]] == [
        ("address", "12 RUE DE LA GARE, 69002 LYON", False, "RETOURS", True, "crm", "1"),
        ("email", "elodie.martin@martin-web.fr", True, None, True, "crm", "1"),
        ("email", "elodiemartin@gmail.com", True, None, True, "shop", "7"),
        ("phone", "+33612345678", True, None, True, "crm", "1"),
        ("email", "old@martin-web.fr", False, "REMPLACEE", False, "shop", "7"),
    ]
    assert list(view["contact_points"][0]) == [
        *("kind", "field", "value", "normal_form", "type", "status", "codes", "usable", "reason", "incidents"),
        *("since", "since_known", "until", "is_current", "source", "source_key"),
    ]


def test_channels_and_names_are_those_of_the_contact(view):
    channels = [(row["channel"], row["addressable"], row["reason"]) for row in view["channels"]]
    assert channels == [("postal", False, "RETOURS")]
    names = [(row["source"], row["source_key"], row["display_name"], row["codes"]) for row in view["names"]]
    assert names == [("crm", "1", "Élodie Martin", ["INITIALE"]), ("shop", "7", "ELODIE MARTIN", ["INITIALE"])]
