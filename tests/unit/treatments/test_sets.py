"""Sets of contacts, by file, condition or query: former ids follow, what leads to nobody is listed."""

import hypothesis
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datadock.errors import DatadockError
from datadock.settings import Settings
from datadock.treatments.files import read_rows
from datadock.treatments.sets import as_names, named_rows, resolve
from datadock.warehouse.publish import connect_published


@pytest.fixture
def found(dock):
    """Resolve what a text, or a frame, names."""

    def resolved(told):
        named = as_names(told) if isinstance(told, pl.DataFrame) else named_rows(dock.settings, told)
        with connect_published(dock.settings, lake=False) as con:
            result = resolve(con, "told", named)
            assert con.sql("from dd_set order by all").fetchall() == [(one,) for one in result.members["golden_id"]]
        return result.members.rows(), result.unknown

    return resolved


def test_a_file_of_ids_follows_redirects_and_lists_the_unknown(found, tmp_path):
    (tmp_path / "set.csv").write_text("golden_id;note\nDKFORMER;x\nDKZOE;\nDKANNE;\nDKLOST;y\n;empty\n")
    assert found(str(tmp_path / "set.csv")) == ([("DKANNE", "DKFORMER"), ("DKZOE", "DKZOE")], ("DKLOST", "line 5"))


def test_a_file_of_records_names_their_contacts(found, tmp_path):
    (tmp_path / "set.jsonl").write_text(
        '{"source": "eshop_customers", "source_key": "E1"}\n{"source": "crm_contacts", "source_key": "none"}\n'
    )
    assert found(str(tmp_path / "set.jsonl")) == ([("DKANNE", "eshop_customers:E1")], ("crm_contacts:none",))


def test_parquet_a_condition_a_query_and_a_frame_name_the_same(found, tmp_path):
    frame = pl.DataFrame({"golden_id": ["DKPAUL", "DKPAUL", "DKZOE"]})
    frame.write_parquet(tmp_path / "set.parquet")
    ways = (
        str(tmp_path / "set.parquet"),
        "where: golden_id in ('DKPAUL', 'DKZOE')",
        "sql: select golden_id from marts.dim_contact_source where source_key in ('C2', 'E3')",
        frame,
    )
    assert {str(found(way)) for way in ways} == {"([('DKPAUL', 'DKPAUL'), ('DKZOE', 'DKZOE')], ())"}


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ("", "no set of contacts is named"),
        ("nowhere.csv", "nowhere.csv is no file"),
        ("where: nothing = 1", 'column "nothing" not found'),
        ("sql: delete from marts.dim_contact", "the query was refused: found DELETE"),
        ("sql: select siren from marts.dim_contact", "the query has the columns siren"),
    ],
)
def test_what_names_no_set_is_refused_in_words(found, told, words):
    with pytest.raises(DatadockError, match=words):
        found(told)


def test_lines_that_cannot_be_read_keep_their_place(tmp_path):
    (tmp_path / "set.csv").write_text("a,b\n1,x\n2,y,z,too many\n3,z\n")
    read = read_rows(tmp_path / "set.csv", ["a"])
    assert (read.frame.rows(), read.refused) == ([(1, "1", "x"), (3, "3", "z")], (2,))


NAMES = ("DKANNE", "DKFORMER", "DKPAUL", "DKZOE", "DKLEA", "DKLOST")


@given(first=st.lists(st.sampled_from(NAMES), min_size=1), again=st.randoms())
@hypothesis.settings(max_examples=25, suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture])
def test_a_set_is_who_is_in_it_whatever_order_name_or_repetition(world, first, again):
    second = [*first, *first]
    again.shuffle(second)
    by_former = [{"DKANNE": "DKFORMER"}.get(name, name) for name in second]
    with connect_published(Settings(home=world), lake=False) as con:
        one, other = (
            resolve(con, "told", as_names(pl.DataFrame({"golden_id": names}))) for names in (first, by_former)
        )
    assert one.digest == other.digest
    assert one.unknown == other.unknown
    assert set(one.members["golden_id"]) == {{"DKFORMER": "DKANNE"}.get(name, name) for name in first} - {"DKLOST"}
