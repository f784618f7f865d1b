"""Raw rows and small declarations for the warehouse's tests."""

import json
from datetime import UTC, datetime

import duckdb
import pytest

from datadock.catalog.model import Source

RECEIVED = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def declare():
    """Return a function that makes a source of some entities."""

    def make(entities, name="crm", format_type="csv"):
        return Source.model_validate(
            {
                "name": name,
                "description": "A source.",
                "owner": "owner@example.org",
                "format": {"type": format_type},
                "entities": entities,
            }
        )

    return make


@pytest.fixture
def staged():
    """Return a function that stages records and gives the rows as mappings, ordered by key."""
    from datadock.warehouse.staging_sql import staging_select

    con = duckdb.connect()
    con.execute("set TimeZone = 'UTC'")
    con.execute(
        "create table raw (payload varchar, _batch_id varchar, _file varchar, _line bigint, _received_at timestamptz)"
    )

    def stage(source, entity, records, batch="b1", received_at=RECEIVED):
        rows = [
            [one if isinstance(one, str) else json.dumps(one, ensure_ascii=False), batch, "f", line, received_at]
            for line, one in enumerate(records, 1)
        ]
        if rows:
            con.executemany("insert into raw values (?, ?, ?, ?, ?)", rows)
        found = con.execute(f"select * from ({staging_select(source, entity, 'raw')}) order by source_key")
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    yield stage
    con.close()
