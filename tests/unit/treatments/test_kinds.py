"""What each kind of treatment makes of a small set: whole rows, before and after, and who is listed why."""

from datetime import date

import duckdb
import polars as pl
import pytest

from datadock import names
from datadock.errors import DatadockError
from datadock.treatments import Request, find, listed, rows_of, treat, treatments, withdraw, withdraw_data_set

EVERYBODY = "where: true"


@pytest.fixture
def do(dock):
    """Do a treatment on a set."""

    def done(kind, contacts=EVERYBODY, *, dry_run=False, **given):
        return treat(dock, Request(kind, contacts, "anne", "a test", **given), dry_run=dry_run)

    return done


def _told(frame, *columns):
    return [tuple(row) for row in frame.select(columns).iter_rows()]


def test_rnvp_keeps_each_address_of_the_set_before_and_after(do, dock):
    done = do("rnvp", "where: golden_id in ('DKANNE', 'DKZOE', 'DKFIRM')")
    rows = rows_of(dock.lake, names.TREATED_ADDRESSES, done.treatment_id).sort("contact_key")
    assert _told(rows, "golden_id", "contact_key", "declared_address_line", "before_form", "after_form") == [
        ("DKANNE", "C1", "12 rue de la Republique", *["12 RUE DE LA REPUBLIQUE, 69002 LYON"] * 2),
        ("DKANNE", "E1", "12, r. de la République", *["12 RUE DE LA REPUBLIQUE, 69002 LYON"] * 2),
        ("DKZOE", "E3", "8 rue Sainte-Catherine", *["8 RUE SAINTE CATHERINE, 33000 BORDEAUX"] * 2),
    ]
    second = rows.row(1, named=True)
    assert (second["after_line_4"], second["after_line_6"]) == ("12 RUE DE LA REPUBLIQUE", "69002 LYON")
    assert (second["after_status"], second["after_code_insee"]) == ("CORRIGEE", "69382")
    assert second["after_reference"] == second["before_reference"] == done.inputs["reference"]
    assert _told(listed(done.outcomes), "golden_id", "outcome", "reason") == [("DKFIRM", "unmatched", "SANS_ADRESSE")]
    assert done.counts["read otherwise than before"] == 0


def test_a_treatment_done_twice_adds_nothing_and_says_so(do, dock):
    first, second = do("rnvp"), do("rnvp")
    assert (first.new, second.new, second.treatment_id) == (True, False, first.treatment_id)
    assert rows_of(dock.lake, names.TREATED_ADDRESSES, first.treatment_id).height == 5
    assert [one.treatment_id for one in treatments(dock.lake)] == [first.treatment_id]
    other = do("rnvp", "where: golden_id = 'DKPAUL'")
    assert other.new
    assert other.treatment_id != first.treatment_id


def test_a_dry_run_writes_nothing(do, dock):
    assert do("rnvp", dry_run=True).counts == do("rnvp").counts
    assert len(treatments(dock.lake)) == 1


def test_nothing_is_done_unsigned_or_on_nobody(do, dock):
    with pytest.raises(DatadockError, match="a treatment without a reason"):
        treat(dock, Request("rnvp", EVERYBODY, "anne", " "))
    with pytest.raises(DatadockError, match="no contact is in the set sql: select 'DKLOST' as golden_id: DKLOST lead"):
        do("rnvp", "sql: select 'DKLOST' as golden_id")
    assert treatments(dock.lake) == []


def test_an_empty_set_is_nothing_to_do(do, dock):
    done = do("rnvp", "where: false")
    assert (done.treatment_id, done.new, done.contacts, done.counts) == ("", False, 0, {})
    assert treatments(dock.lake) == []


def test_a_set_may_be_handed_over_by_whoever_holds_it(dock):
    ids = pl.DataFrame({"golden_id": ["DKFORMER", "DKLOST"]})
    done = treat(dock, Request("iris", "target: spring", "anne", "a test"), contacts=ids)
    assert (done.contacts, done.unknown) == (1, ("DKLOST",))
    (kept,) = treatments(dock.lake)
    assert (kept.contacts_asked, kept.unknown, kept.asked_by) == ("target: spring", ("DKLOST",), "anne")


def test_iris_is_assigned_and_the_rest_is_listed_with_its_reason(do, dock):
    done = do("iris")
    rows = rows_of(dock.lake, names.TREATED_ATTRIBUTES, done.treatment_id)
    assert _told(rows, "golden_id", "source_key", "attribute", "value", "origin_version", "origin_date", "licence") == [
        ("DKLEA", "C4", "iris", "011880000", "2021", date(2026, 1, 1), "Licence Ouverte")
    ]
    assert _told(listed(done.outcomes), "golden_id", "outcome", "reason") == [
        ("DKANNE", "unmatched", "contours_absents"),
        ("DKFIRM", "unmatched", "SANS_ADRESSE"),
        ("DKPAUL", "unmatched", "SANS_IRIS"),
        ("DKZOE", "unmatched", "SANS_IRIS"),
    ]


def test_a_data_set_is_added_to_the_set_only_and_taken_out_by_its_name(do, dock):
    contacts = "where: golden_id in ('DKANNE', 'DKFIRM')"
    done = do("enrichment", contacts, data_set="school_zones")
    rows = rows_of(dock.lake, names.TREATED_ATTRIBUTES, done.treatment_id)
    assert _told(rows, "golden_id", "source_key", "attribute", "value", "origin_version") == [
        ("DKANNE", "C1", "school_academy", "Lyon", "2015"),
        ("DKANNE", "E1", "school_academy", "Lyon", "2015"),
        ("DKANNE", "C1", "school_zone", "A", "2015"),
        ("DKANNE", "E1", "school_zone", "A", "2015"),
    ]
    assert _told(listed(done.outcomes), "golden_id", "reason") == [("DKFIRM", "SANS_CLE")]
    (gone,) = withdraw_data_set(dock, "school_zones", "paul", "wrong zones")
    assert (gone.treatment_id, gone.stands, gone.withdrawn_by) == (done.treatment_id, False, "paul")
    with pytest.raises(DatadockError, match="no standing treatment added the data set 'school_zones'"):
        withdraw_data_set(dock, "school_zones", "paul", "again")
    again = do("enrichment", contacts, data_set="school_zones")
    assert again.new
    assert again.treatment_id != done.treatment_id


def test_a_data_set_that_says_two_things_of_a_key_is_refused(do, dock):
    file = dock.catalog.folder / "open_data" / "school_zones.csv"
    file.write_text(file.read_text() + "69,Lyon,B\n")
    with pytest.raises(DatadockError, match=r"school_zones\.csv says several things of 69"):
        do("enrichment", data_set="school_zones")
    with pytest.raises(DatadockError, match="no data set is called 'weather'"):
        do("enrichment", data_set="weather")


def test_what_was_taken_back_cannot_be_taken_back_again(do, dock):
    done = do("rnvp")
    withdraw(dock, done.treatment_id[:9], "paul", "a mistake")
    with pytest.raises(DatadockError, match="was taken back by paul"):
        withdraw(dock, done.treatment_id, "paul", "a mistake")
    with pytest.raises(DatadockError, match="no treatments begin with 'iris'"):
        find(dock.lake, "iris")


def _read_by(dock, version, contact):
    """Make a published address one that an earlier reference read; its record bears the one address of a contact."""
    with duckdb.connect(dock.settings.published / "warehouse-1.duckdb") as con:
        con.execute(
            "update marts.normal_address set reference = $1, status = 'A_CONFIRMER' where value_id = ("
            "select p.value_id from marts.dim_contact_point p join marts.dim_contact_source m "
            "using (source, source_key) where m.golden_id = $2)",
            [version, contact],
        )


def test_the_contacts_that_a_newer_reference_touches_are_a_set_and_no_other(do, dock):
    assert do("rnvp", "touched:").contacts == 0
    _read_by(dock, "communes 5.0.0 (long gone); no streets", "DKZOE")
    done = do("rnvp", "touched:")
    rows = rows_of(dock.lake, names.TREATED_ADDRESSES, done.treatment_id)
    assert _told(rows, "golden_id", "before_status", "before_reference", "after_status", "is_changed") == [
        ("DKZOE", "A_CONFIRMER", "communes 5.0.0 (long gone); no streets", "CORRIGEE", True)
    ]
    assert done.counts["read otherwise than before"] == 1


def test_a_stated_reference_decides_and_the_same_one_by_another_name_is_the_same_treatment(do):
    assert do("rnvp").new
    assert not do("rnvp", reference="packaged").new
    with pytest.raises(DatadockError, match="no reference tables: communes 1"):
        do("rnvp", reference="communes 1")


@pytest.mark.parametrize("cut", [names.TREATED_CONTACTS, names.TREATED_ADDRESSES, names.TREATMENTS])
def test_a_treatment_that_was_killed_counts_only_when_done_again(do, dock, cut, monkeypatch):
    append = type(dock.lake).append_once

    def stop_before(lake, table, *given, **more):
        if table == cut:
            raise KeyboardInterrupt
        return append(lake, table, *given, **more)

    monkeypatch.setattr(type(dock.lake), "append_once", stop_before)
    with pytest.raises(KeyboardInterrupt):
        do("rnvp")
    assert treatments(dock.lake) == []
    monkeypatch.undo()
    done = do("rnvp")
    assert done.new
    assert [rows_of(dock.lake, table, done.treatment_id).height for table in names.TREATED] == [1, 5, 5, 0]
