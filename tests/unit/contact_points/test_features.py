"""Linking compares normal forms where they are good, what was written where they are in doubt, junk as nothing."""

import polars as pl

from datadock.contact_points import update_values
from datadock.identity import update_features
from datadock.identity.workspace import FEATURES


def features(dock, *columns):
    update_features(dock.workspace)
    stored = pl.read_parquet(dock.workspace.lake.files(FEATURES))
    newest = (
        stored.sort("generation").group_by("source_key", maintain_order=True).last().filter(pl.col("op") == "upsert")
    )
    return newest.sort("source_key").select(columns).rows()


def test_spellings_of_one_value_compare_as_equal(dock):
    dock.contact("1", phone="0690 12 34 58", email="Jean.Dupont@gmial.com", family_name="DUPONT")
    dock.contact("2", phone="+590 690 12 34 58", email="jeandupont@gmail.com", family_name="Dupont")
    dock.run()
    assert features(dock, "phones", "emails", "family") == [(["+590690123458"], ["jeandupont@gmail.com"], "dupont")] * 2


def test_an_address_compares_by_its_normal_parts(dock):
    dock.contact("1", address_line="12 bis av du Gal Leclerc", postcode="69002", city="LYON 2EME", family_name="A")
    dock.contact("2", address_line="12B AVENUE DU GENERAL LECLERC", postcode="69002", city="Lyon", family_name="B")
    dock.run()
    first, second = features(dock, "house", "postcode", "city")
    assert first == second == ("12b", "69002", "lyon")


def test_a_doubtful_value_compares_as_written_and_junk_as_nothing(dock):
    dock.contact("1", address_line="Lotissement des Fleurs", postcode="69999", city="Nulle-Part", phone="0600000000")
    dock.run()
    assert features(dock, "postcode", "city", "phones") == [("69999", "nullepart", None)]


def test_what_is_not_normalised_is_read_by_the_macros(dock):
    dock.contact("1", phone="0612345687", family_name="Dupont")
    dock.run()
    without = pl.read_parquet(dock.workspace.lake.files("quality/phones")).height
    assert without == 1
    update_features(dock.workspace, forms=())
    stored = pl.read_parquet(dock.workspace.lake.files(FEATURES))
    assert stored.select("phones", "family").rows() == [(["+33612345687"], "dupont")]


def test_a_value_that_is_read_otherwise_makes_its_contacts_new(dock):
    dock.contact("1", phone="0612345687", family_name="Dupont")
    dock.contact("2", phone="0698765431", family_name="Durand")
    dock.run()
    assert update_features(dock.workspace).new_or_changed == 2
    other = _reading_other_phones(dock)
    assert update_features(other).new_or_changed == 1
    assert features(dock, "phones") == [(["+33700000001"],), (["+33698765431"],)]
    assert update_values(other).changed["phone"] == 1
    assert update_features(other).new_or_changed == 1
    assert features(dock, "phones") == [(["+33612345687"],), (["+33698765431"],)]


def _reading_other_phones(dock):
    """Write a row as newer rules would: another reading of a value that is in store."""
    workspace = dock.workspace
    table = "quality/phones"
    rows = pl.read_parquet(workspace.lake.files(table)).filter(pl.col("declared_phone") == "0612345687")
    newer = rows.with_columns(value=pl.lit("+33700000001"), generation=pl.lit(2, pl.Int64), run_id=pl.lit("newer"))
    inputs = workspace.cursor(table) | {"generation": 2, "rules": "other rules"}
    workspace.append(table, newer.to_arrow().cast(_schema(workspace, table)), inputs)
    return workspace


def _schema(workspace, table):
    from datadock.contact_points.kinds import PHONE
    from datadock.contact_points.values import table_schema

    assert table == PHONE.table
    return table_schema(PHONE)
