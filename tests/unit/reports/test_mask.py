"""Masking: enough to recognise a record, too little to know a person."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datadock.reports.mask import masked, masked_payload


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("Madeleine", "M•••••••e"),
        ("Jean-Pierre de La Tour", "J••n-P••••e d• L• T••r"),
        ("jeanne.dupont@poste.example", "j••••••••••••@p••••.example"),
        ("06 12 34 56 78", "06 •• •• •• 78"),
        ("1984-03-12", "19••-••-••"),
        ("75011", "75•••"),
        ("12 bis rue Émile Zola", "1• b•• r•• É•••e Z••a"),
        ("", ""),
        (None, ""),
    ],
)
def test_a_value_keeps_its_ends_only(value, shown):
    assert masked(value) == shown


@given(st.text(min_size=3, max_size=40))
def test_a_mask_is_as_long_as_its_value_and_hides_part_of_every_word(value):
    shown = masked(value)
    assert len(shown) == len(value)
    words = [word for word in value.split() if len(word) >= 3 and word.isalnum()]
    assert all(word not in shown.split() for word in words)


@given(st.text(max_size=40))
def test_masking_twice_shows_no_more(value):
    hidden = masked(value).count("•")
    assert masked(masked(value)).count("•") >= hidden


def test_a_payload_keeps_its_keys_and_the_source_key_but_no_other_value():
    payload = json.dumps({"id": "C9", "n": {"first": "Jeanne"}, "tags": ["sport"], "age": 41, "vip": True, "x": None})
    assert json.loads(masked_payload(payload, frozenset({"id"}))) == {
        "id": "C9",
        "n": {"first": "J••••e"},
        "tags": ["s•••t"],
        "age": "4•",
        "vip": True,
        "x": None,
    }


def test_a_source_key_that_is_an_address_is_masked_all_the_same():
    assert json.loads(masked_payload('{"mail": "a.b@poste.example"}', frozenset({"mail"}))) == {
        "mail": "a••@p••••.example"
    }


def test_a_payload_that_is_no_json_is_masked_as_text_and_cut():
    assert masked_payload("Dupont;Jeanne", limit=8) == "D••••t;…"
