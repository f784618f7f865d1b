"""Every distinct value is read once and kept with its evidence; nothing is read again without a cause."""

import polars as pl
import pytest

from datadock import names
from datadock.contact_points import References
from datadock.contact_points.kinds import KINDS
from datadock.contact_points.values import table_schema, update_values
from datadock.identity import Workspace
from datadock.quality.reference import Reference, StreetReference, load_reference
from datadock.warehouse.lake_tables import TABLES

HOME = {"address_line": "12 bis r de la République", "postcode": "69002", "city": "lyon"}


def test_a_value_that_several_records_give_is_read_once(dock):
    dock.contact("1", email="Jean@Free.fr", phone="06 12 34 56 87", given_name="JEAN", family_name="DUPONT", **HOME)
    dock.contact("2", email="Jean@Free.fr", mobile="06 12 34 56 87", given_name="JEAN", family_name="DUPONT", **HOME)
    values, _ = dock.run()
    assert values.new == {"address": 1, "phone": 1, "email": 1, "name": 1}
    assert values.values == {"address": 1, "phone": 1, "email": 1, "name": 1}


def test_a_value_stands_beside_what_was_declared_with_status_and_evidence(dock):
    dock.contact("1", **HOME)
    dock.run()
    (row,) = dock.log(names.ADDRESS_VALUES).to_dicts()
    assert row["declared_address_line"] == "12 bis r de la République"
    assert (row["line_4"], row["line_6"]) == ("12 B RUE DE LA REPUBLIQUE", "69002 LYON")
    assert row["status"] == "CORRIGEE"
    assert all(item["rule"] and item["field"] for item in row["evidence"])
    assert row["street_checked"] is False
    assert row["reference"] == f"{load_reference().version}; no streets"


def test_a_second_run_with_nothing_new_writes_nothing(dock):
    dock.contact("1", email="a@free.fr", **HOME)
    dock.run()
    versions = {kind.table: dock.workspace.lake.version(kind.table) for kind in KINDS}
    values, points = dock.run()
    assert values.new == dict.fromkeys(("address", "phone", "email", "name"), 0)
    assert points.changes == {}
    assert {kind.table: dock.workspace.lake.version(kind.table) for kind in KINDS} == versions
    assert dock.workspace.lake.version(names.CONTACT_POINTS) == 1


def test_only_new_values_are_read(dock):
    dock.contact("1", email="a@free.fr")
    dock.run()
    dock.contact("1", email="b@free.fr")
    values, _ = dock.run()
    assert values.new["email"] == 1
    assert values.values["email"] == 2


def test_names_are_read_by_their_parts_and_whole_names_where_there_are_none(dock):
    dock.contact("1", civility="Monsieur", given_name="marie", family_name="DE LA TOUR")
    dock.contact("2", full_name="Mme Paule DURAND")
    dock.contact("3", party_type="company", organisation_name="ACME", family_name="Contact")
    dock.run()
    rows = dock.log(names.NAME_VALUES).sort("declared_full_name", nulls_last=False)
    assert rows.select("declared_given_name", "declared_full_name", "last_key", "status").rows() == [
        ("marie", None, "TOUR", "A_CONFIRMER"),
        (None, "Mme Paule DURAND", "DURAND", "OK"),
    ]
    assert "CIVILITE_PRENOM_DISCORDANTS" in rows["codes"][0].to_list()


@pytest.mark.parametrize("text", ["", "𝕁ean\u200b@", "(╯°□°)╯", "a" * 10_000, "6.12E+08", "<b>12 rue</b>", "شارع 5"])
def test_any_text_gets_a_row_with_a_status(dock, text):
    dock.contact("1", email=text, phone=text, address_line=text, given_name=text, family_name=text)
    dock.run()
    for kind in KINDS:
        if text == "" and kind.name == "name":
            continue
        (row,) = dock.log(kind.table).to_dicts()
        assert row["status"] in ("OK", "CORRIGEE", "A_CONFIRMER", "REJETEE", "ETRANGERE", "VIDE")


def test_the_stores_have_the_columns_that_the_warehouse_expects():
    import duckdb

    for kind in KINDS:
        with duckdb.connect() as con:
            con.register("empty", table_schema(kind).empty_table())
            found = {row[0]: row[1].lower() for row in con.execute("describe empty").fetchall()}
            listed = ", ".join(f'null::{sql} as "{name}"' for name, sql in TABLES[kind.table].items())
            expected = {row[0]: row[1].lower() for row in con.execute(f"describe select {listed}").fetchall()}
        assert found == expected


def test_a_warehouse_of_contacts_alone_is_enough(dock, tmp_path):
    import duckdb

    dock.contact("1", email="a@free.fr")
    dock.run()
    with duckdb.connect(str(dock.workspace.warehouse)) as con:
        for table in ("int_event", "int_move", "int_contact_address"):
            con.execute(f"drop table intermediate.{table}")
    from datadock.lake import Lake

    alone = Workspace(
        Lake(tmp_path / "other"), dock.workspace.catalog, dock.workspace.warehouse, "r", dock.workspace.run_at
    )
    assert update_values(alone).new["email"] == 1


def _reference(version, *rows):
    keys = ("code_insee", "nom", "type", "code_actuel", "departement", "codes_postaux", "population")
    return Reference([dict(zip(keys, row, strict=True)) for row in rows], version=version)


HAUTE = ("01001", "Alpha", "commune-actuelle", "01001", "01", "01100", "5")
BASSE = ("01002", "Beta", "commune-actuelle", "01002", "01", "01200", "5")
OLDER = _reference("communes 1", HAUTE, BASSE)
MERGED = ("01003", "Gamma", "commune-actuelle", "01003", "01", "01200", "9")
NEWER = _reference("communes 2", HAUTE, MERGED, ("01002", "Beta", "commune-deleguee", "01003", "01", "01200", ""))


def test_a_newer_reference_reads_again_what_it_touches_and_nothing_else(dock):
    dock.contact("1", address_line="3 rue Haute", postcode="01100", city="Alpha")
    dock.contact("2", address_line="5 rue Basse", postcode="01200", city="Beta")
    dock.run(references=References(OLDER))
    values, points = dock.run(references=References(NEWER, older={"communes 1": OLDER}.get))
    assert (values.checked_again["address"], values.changed["address"]) == (1, 1)
    rows = dock.log(names.ADDRESS_VALUES).filter(pl.col("declared_city") == "Beta")
    assert rows.select("line_5", "line_6", "code_insee", "reference").rows() == [
        ("", "01200 BETA", "01002", "communes 1; no streets"),
        ("BETA", "01200 GAMMA", "01003", "communes 2; no streets"),
    ]
    assert rows["evidence"][1].to_list()[0]["reference"] == "communes 2"
    assert sum(points.changes.values()) == 1
    again, points = dock.run(references=References(NEWER, older={"communes 1": OLDER}.get))
    assert (again.checked_again["address"], points.changes) == (0, {})


def test_an_older_reference_that_is_gone_has_everything_read_again(dock):
    dock.contact("1", address_line="3 rue Haute", postcode="01100", city="Alpha")
    dock.contact("2", address_line="5 rue Basse", postcode="01200", city="Beta")
    dock.run(references=References(OLDER))
    values, _ = dock.run(references=References(NEWER))
    assert (values.checked_again["address"], values.changed["address"]) == (2, 1)


def test_loaded_streets_check_the_addresses_of_their_communes(dock):
    dock.contact("1", address_line="3 rue Haute", postcode="01100", city="Alpha")
    dock.contact("2", address_line="5 rue Basse", postcode="01200", city="Beta")
    dock.run(references=References(OLDER))
    streets = StreetReference({"01001": {"RUE HAUTE": "RUE HAUTE"}}, "BAN 01 (1)")
    values, _ = dock.run(references=References(OLDER, streets))
    assert (values.checked_again["address"], values.changed["address"]) == (1, 1)
    latest = dock.log(names.ADDRESS_VALUES).filter(pl.col("declared_city") == "Alpha")[-1]
    assert latest.select("street_checked", "status", "reference").rows() == [(True, "OK", "communes 1; BAN 01 (1)")]
