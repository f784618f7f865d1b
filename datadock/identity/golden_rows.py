"""Golden rows from their winners: values gathered by place, with the provenance of each.

Gathering is Arrow's and numpy's, a part of the contacts at a time, so that memory stays flat; which
record wins a field is decided in ``survivorship``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from datadock.catalog.fields import MODEL
from datadock.identity.survivorship import Groups

Ints = npt.NDArray[np.int64]

PART = 200_000
"""Contacts that are put together at a time."""


def golden_rows(con: duckdb.DuckDBPyConnection, groups: Groups) -> Iterator[pa.Table]:
    """Give the golden rows in order of golden id, a part at a time.

    Args:
        con: Connection on which ``survive`` was called.
        groups: The same groups of fields.

    Yields:
        golden_id, party_type, n_records, n_sources, the fields, provenance (list of struct of field, source,
        source_key, rule, observed_at), row_hash.
    """
    count = con.execute("select count(*) from dd_contacts").fetchall()[0][0]
    for start in range(0, count, PART):
        wanted = f"where contact >= {start} and contact < {start + PART}"
        members = con.sql(f"from dd_members {wanted}").to_arrow_table().combine_chunks()
        contacts = con.sql(f"from dd_contacts {wanted} order by contact").to_arrow_table()
        winners = con.sql(f"from dd_winners {wanted} order by contact").to_arrow_table()
        yield _rows(con, groups, members, contacts, winners)


def _rows(
    con: duckdb.DuckDBPyConnection, groups: Groups, members: pa.Table, contacts: pa.Table, winners: pa.Table
) -> pa.Table:
    ties = members["tie"].to_numpy()
    places = np.full(int(ties.max()) + 2, -1, dtype=np.int64)
    places[ties] = np.arange(len(ties))
    # A winner of none is the last place, which is nobody's.
    won = {x: places[winners[f"w_{x}"].fill_null(len(places) - 1).to_numpy()] for x in groups}
    homes = {field: leader for leader, (_, fields) in groups.items() for field in fields}
    values = {field: _gathered(members[field], won[homes[field]]) for field in MODEL["contact"]}
    rules = {field: " > ".join(groups[leader][0].by) for field, leader in homes.items()}
    table = contacts.drop_columns(["contact", "n_told"])
    for field, column in values.items():
        table = table.append_column(field, column)
    provenance = _provenance(members, values, {field: won[homes[field]] for field in values}, rules)
    hashes = _hashes(con, table, members, won)
    return table.append_column("provenance", provenance).append_column("row_hash", hashes)


def _gathered(column: pa.ChunkedArray, places: Ints) -> pa.ChunkedArray:
    return column.take(pa.array(places, mask=places < 0))


def _provenance(
    members: pa.Table, values: dict[str, pa.ChunkedArray], places: dict[str, Ints], rules: dict[str, str]
) -> pa.Array:
    """Where each value that there is comes from, in order of the fields."""
    there = np.stack([column.is_valid().to_numpy() for column in values.values()], axis=1)
    _, fields = np.nonzero(there)
    winners = pa.array(np.stack([places[field] for field in values], axis=1)[there])
    origin: dict[str, Any] = {
        "field": pa.array(list(values)).take(pa.array(fields)),
        "source": members["source"].take(winners).combine_chunks(),
        "source_key": members["source_key"].take(winners).combine_chunks(),
        "rule": pa.array([rules[field] for field in values]).take(pa.array(fields)),
        "observed_at": members["observed_at"].take(winners).combine_chunks().cast(pa.timestamp("us", "UTC")),
    }
    ends = np.concatenate([[0], np.cumsum(there.sum(axis=1))]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(ends), pa.StructArray.from_arrays(list(origin.values()), list(origin)))


def _hashes(
    con: duckdb.DuckDBPyConnection, table: pa.Table, members: pa.Table, won: dict[str, Ints]
) -> pa.ChunkedArray:
    """A digest of each row without the time of observation: values delivered again change nothing."""
    con.register("dd_part", members.select(["source", "source_key"]))
    told = con.sql("select source || '\x1f' || source_key as origin from dd_part").to_arrow_table()
    for leader, places in won.items():
        table = table.append_column(f"o_{leader}", _gathered(told["origin"], places))
    con.register("dd_part", table)
    values = ", '\x1f', ".join(f"coalesce({name}::varchar, '')" for name in MODEL["contact"])
    sources = ", ".join(f"o_{leader}" for leader in won)
    hashed = con.sql(
        f"select md5(concat({values}, n_records, '/', n_sources, party_type, concat_ws('\x1f', {sources}))) as h "
        "from dd_part"
    ).to_arrow_table()
    con.unregister("dd_part")
    return hashed["h"]
