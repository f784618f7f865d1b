"""Moved people of a set: who is meant, what is left to a person, what lands, and what taking it back lands."""

import json
from datetime import date

import polars as pl
import pytest

from datadock import names
from datadock.errors import DatadockError
from datadock.treatments import Request, rows_of, treat, withdraw

NEW = "3 place Bellecour,69002,Lyon"
BY_NAME = "given_name,family_name,old_address_line,old_postcode,old_city,address_line,postcode,city,moves_on,status"
HOME = "12 rue de la République,69002,Lyon"


@pytest.fixture
def move(dock, move_file):
    """Match lines with a set."""

    def moved(*lines, contacts="where: true", dry_run=False, columns=None, **file):
        path = move_file(*lines, **file)
        request = Request("moves", contacts, "anne", "monthly file", file=str(path), columns=columns or {})
        return treat(dock, request, dry_run=dry_run)

    return moved


def _landed(dock):
    """The records in the raw table of moves, oldest first."""
    frames = [pl.read_parquet(file) for file in dock.lake.files("raw/moved_people")]
    if not frames:
        return []
    rows = pl.concat(frames).sort("_received_at", "_line")
    return [json.loads(payload) for payload in rows["payload"]]


def _lines(done):
    lines = done.outcomes.filter(pl.col("line").is_not_null())
    return [tuple(row) for row in lines.select("line", "golden_id", "outcome", "reason").iter_rows()]


def test_a_move_by_key_lands_for_each_record_of_the_contact(move, dock):
    done = move(f"DKFORMER,{NEW},2026-02-01")
    assert _lines(done) == [(1, "DKANNE", "treated", None)]
    assert [
        {name: row.get(name) for name in ("crm_contacts", "eshop_customers", "moves_on", "address_line", "city")}
        for row in _landed(dock)
    ] == [
        {"crm_contacts": "C1", "eshop_customers": None, "moves_on": "2026-02-01", "address_line": "3 place Bellecour",
         "city": "Lyon"},
        {"crm_contacts": None, "eshop_customers": "E1", "moves_on": "2026-02-01", "address_line": "3 place Bellecour",
         "city": "Lyon"},
    ]  # fmt: skip
    rows = rows_of(dock.lake, names.TREATED_ADDRESSES, done.treatment_id).sort("contact_key")
    assert rows.select("contact_key", "before_form", "after_form", "moves_on", "move_source").rows() == [
        (key, "12 RUE DE LA REPUBLIQUE, 69002 LYON", "3 PLACE BELLECOUR, 69002 LYON", date(2026, 2, 1), "moved_people")
        for key in ("C1", "E1")
    ]
    untouched = done.outcomes.filter(pl.col("outcome") == "untouched")["golden_id"].to_list()
    assert untouched == ["DKFIRM", "DKLEA", "DKPAUL", "DKZOE"]


def test_a_line_outside_the_set_or_of_nobody_moves_nobody(move, dock):
    done = move(
        f"DKANNE,{NEW},2026-02-01",
        f"DKLOST,{NEW},2026-02-01",
        f"DKZOE,{NEW},2026-02-01",
        contacts="where: golden_id = 'DKZOE'",
    )
    assert _lines(done) == [
        (1, None, "outside", "HORS_ENSEMBLE"),
        (2, None, "unknown", "ID_INCONNU"),
        (3, "DKZOE", "treated", None),
    ]
    assert [row["eshop_customers"] for row in _landed(dock)] == ["E3"]


def test_name_and_old_address_are_sure_only_when_one_contact_has_both(move):
    done = move(
        f"ANNE,MARTIN,{HOME},{NEW},01/02/2026,",  # spelt otherwise: one Anne Martin lives there
        f"A.,Martin,{HOME},{NEW},2026-02-01,D",  # an initial
        f",Martin,{HOME},{NEW},2026-02-01,",  # Anne or Paul
        f"Anne,Dupont,{HOME},{NEW},2026-02-01,",
        f"Zoé,Petit,1 rue Nulle Part,99999,Ailleurs,{NEW},2026-02-01,",
        f",,{HOME},{NEW},2026-02-01,",
        header=BY_NAME,
    )
    assert _lines(done) == [
        (1, "DKANNE", "treated", None),
        (2, None, "doubtful", "PRENOM_DIFFERENT"),
        (3, None, "doubtful", "PRENOM_DIFFERENT"),
        (4, None, "unmatched", "INCONNU_A_L_ADRESSE"),
        (5, None, "unmatched", "ANCIENNE_ADRESSE_ILLISIBLE"),
        (6, None, "unmatched", "SANS_CLE"),
    ]
    details = done.outcomes.filter(pl.col("outcome") == "doubtful")["detail"].to_list()
    assert details == ["DKANNE", "DKANNE, DKPAUL"]


def test_a_line_that_cannot_bear_a_move_is_left_to_a_person(move, dock):
    header = "golden_id,address_line,postcode,city,moves_on,status"
    done = move(
        "DKANNE,,,,2026-02-01,PSA",
        f"DKPAUL,{NEW},soon,",
        f"DKZOE,{NEW},2026-02-01,annulé",
        f"DKZOE,{NEW},2026-02-01,temporaire",
        "DKLEA,12 rue X,99999,Nulleville,2026-02-01,",
        f"DKLEA,{NEW},2026-02-01,?!what",
        header=header,
    )
    assert [line[2:] for line in _lines(done)] == [
        ("doubtful", "SANS_ADRESSE_NOUVELLE"),
        ("doubtful", "SANS_DATE"),
        ("doubtful", "ANNULE"),
        ("doubtful", "TEMPORAIRE"),
        ("doubtful", "ADRESSE_NOUVELLE_DOUTEUSE"),
        ("doubtful", "LIGNE_ILLISIBLE"),
    ]
    assert _landed(dock) == []


def test_two_new_addresses_on_one_day_are_left_to_a_person_and_one_told_twice_is_one(move):
    done = move(f"DKANNE,{NEW},2026-02-01", f"DKANNE,{NEW},2026-02-01", f"DKANNE,{NEW},2027-02-01")
    assert [line[2] for line in _lines(done)] == ["treated"] * 3
    assert done.counts["moves landed"] == 4
    done = move(f"DKANNE,{NEW},2026-02-01", "DKANNE,5 rue de Paris,59000,Lille,2026-02-01")
    assert {line[2:] for line in _lines(done)} == {("doubtful", "DEUX_ADRESSES")}


def test_columns_of_another_name_are_said(move):
    named = {"golden_id": "client", "moves_on": "date_effet"}
    done = move(f"DKANNE,{NEW},2026-02-01", columns=named, header="client,address_line,postcode,city,date_effet")
    assert _lines(done) == [(1, "DKANNE", "treated", None)]
    with pytest.raises(DatadockError, match=r"moved\.csv has the columns client, rue; colour is no field of a move"):
        move("x,y", header="client,rue", columns={"colour": "rue"})


def test_taking_it_back_lands_each_move_without_a_day_but_those_that_another_treatment_made_too(move, dock):
    first = move(f"DKANNE,{NEW},2026-02-01", f"DKZOE,{NEW},2026-03-01")
    second = move(f"DKZOE,{NEW},2026-03-01", contacts="where: golden_id = 'DKZOE'")
    assert (first.new, second.new) == (True, True)
    before = len(_landed(dock))
    withdraw(dock, first.treatment_id, "paul", "wrong file")
    voided = _landed(dock)[before:]
    assert sorted(row.get("crm_contacts") or row["eshop_customers"] for row in voided) == ["C1", "E1"]
    assert {row["moves_on"] for row in voided} == {None}
    made = {
        row["move_key"] for row in _landed(dock)[:before] if row.get("crm_contacts") or row["eshop_customers"] == "E1"
    }
    assert {row["move_key"] for row in voided} == made


def test_the_same_file_on_the_same_set_lands_nothing_twice_until_it_was_taken_back(move, dock):
    first = move(f"DKZOE,{NEW},2026-02-01")
    assert not move(f"DKZOE,{NEW},2026-02-01").new
    assert len(_landed(dock)) == 1
    withdraw(dock, first.treatment_id, "paul", "too early")
    assert move(f"DKZOE,{NEW},2026-02-01").new
    assert [row["moves_on"] for row in _landed(dock)] == ["2026-02-01", None, "2026-02-01"]


def test_a_deployment_without_a_source_for_moves_is_told_what_to_declare(move, dock):
    dock.catalog.sources.pop("moved_people")
    with pytest.raises(DatadockError, match="no source 'moved_people' for moves is declared"):
        move(f"DKZOE,{NEW},2026-02-01")


def test_moves_that_were_killed_before_their_ledger_row_land_once(move, dock, monkeypatch):
    append = type(dock.lake).append_once

    def stop_before_the_ledger(lake, table, *given, **more):
        if table == names.TREATMENTS:
            raise KeyboardInterrupt
        return append(lake, table, *given, **more)

    monkeypatch.setattr(type(dock.lake), "append_once", stop_before_the_ledger)
    with pytest.raises(KeyboardInterrupt):
        move(f"DKANNE,{NEW},2026-02-01")
    monkeypatch.undo()
    assert len(_landed(dock)) == 2
    assert move(f"DKANNE,{NEW},2026-02-01").new
    assert len(_landed(dock)) == 2
