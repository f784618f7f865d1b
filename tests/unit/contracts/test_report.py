"""The raw table's check: the same rules as at the door, in pandera's words."""

import polars as pl
import pyarrow as pa
import pytest

from datadock.catalog.model import Source
from datadock.contracts import contract_report
from datadock.lake import Lake
from datadock.landing import land_bytes

FIELDS = {"kind": {"from": "kind", "one_of": ["A", "B"]}, "amount": {"from": "m", "type": "decimal", "min": 0}}


def people(fields):
    return Source.model_validate(
        {
            "name": "people",
            "description": "Test records.",
            "owner": "team@example.org",
            "format": {"type": "csv"},
            "entities": {
                "contact": {"key": "id", "fields": fields},
                "event": {"key": "id", "only": {"kind": ["B"]}, "fields": {"subject": {"from": "m", "required": True}}},
            },
        }
    )


@pytest.fixture
def lake(tmp_path):
    lake = Lake(tmp_path / "lake")
    land_bytes(lake, people(FIELDS), b"id,kind,m\n1,A,\n2,B,\n3,B,1\n4,C,1\n", "a.csv")
    return lake


def test_what_passed_the_door_keeps_the_contract(lake):
    report = contract_report(lake, people(FIELDS))
    assert (report.rows, report.failures, report.holds) == (2, {}, True)
    assert report.facts()["found"] == "all of them"


def test_a_stricter_contract_names_the_rows_it_no_longer_accepts(lake):
    report = contract_report(lake, people({**FIELDS, "kind": {"from": "kind", "one_of": ["B"]}}))
    assert not report.holds
    assert report.failures == {"contact.kind: not_in_list (equal_to(True))": 1}


def test_rows_that_never_came_through_the_door_are_found(lake):
    row = pl.read_parquet(lake.files("raw/people")).with_columns(
        payload=pl.lit("no json"), _batch_id=pl.lit("x"), _line=pl.lit(0, pl.Int64), _received_date=pl.lit("2024-01-01")
    )
    table = lake.open("raw/people")
    columns = [field.name for field in pa.schema(table.schema().to_arrow())]
    lake.append_once("raw/people", row.head(1).select(columns).to_arrow(), "by hand")
    failures = contract_report(lake, people({})).failures
    assert {name.split(" ")[0] for name in failures} >= {"payload", "_batch_id", "_line"}


def test_an_empty_table_keeps_every_contract(tmp_path):
    report = contract_report(Lake(tmp_path), people(FIELDS))
    assert (report.rows, report.holds) == (0, True)
