"""Keys of blocking rules as numbers: each part of a key is hashed once per record, for all rules that use it.

Rules share their parts (given name, birth year, postcode, ...), and texts are dear to cut and to compare.
Which rules there are is not here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import duckdb

_UNNEST = "unnest("


@dataclass(frozen=True)
class KeyParts:
    """A table of hashed parts.

    Attributes:
        origin: The features that they come from.
        table: Its name or a query in parentheses: ``rid`` and a column per part, null where the part is unknown.
        columns: Part, as SQL over one record, to its column.
    """

    origin: str
    table: str
    columns: Mapping[str, str]


def parts_of(origin: str, keys: Iterable[tuple[str, ...]], table: str = "dd_key_parts") -> KeyParts:
    """Return the parts of some keys as ``key_parts`` makes them, of a table that is there."""
    parts = sorted({part for key in keys for part in key})
    return KeyParts(origin, table, {part: f"k{place}" for place, part in enumerate(parts)})


def key_parts(
    con: duckdb.DuckDBPyConnection, origin: str, keys: Iterable[tuple[str, ...]], table: str = "dd_key_parts"
) -> KeyParts:
    """Create the table of the parts of some keys, for all records of a table of features."""
    parts = parts_of(origin, keys, table)
    columns = parts.columns
    told = "".join(f", {bare(part)} as {column}" for part, column in columns.items())
    hashed = "".join(
        f", list_transform({column}, lambda v: hash(v)) as {column}"
        if is_list(part)
        else f", case when {column} is not null then hash({column}) end as {column}"
        for part, column in columns.items()
    )
    con.execute(f"create or replace temp table {table} as select rid{hashed} from (select rid{told} from {origin})")
    return parts


def keys_sql(parts: KeyParts, keys: tuple[str, ...]) -> str:
    """Return SQL of (rid, key) for the keys of a rule; key is a hash."""
    origin, columns = _unnested(parts.table, [(parts.columns[key], is_list(key)) for key in keys])
    known = " and ".join(f"{column} is not null" for column in columns)
    key = columns[0] if len(columns) == 1 else f"hash({', '.join(columns)})"
    return f"select rid, {key} as key from {origin} where {known}"


def texts_sql(table: str, keys: tuple[str, ...]) -> str:
    """Return SQL of (rid, key, text) for the keys of a rule, from the features themselves; key is a hash."""
    origin, columns = parts_sql(table, keys)
    known = " and ".join(f"({column}) is not null" for column in columns)
    joined = " || '|' || ".join(f"({column})" for column in columns)
    return f"select rid, hash({', '.join(columns)}) as key, {joined} as text from {origin} where {known}"


def parts_sql(table: str, keys: tuple[str, ...]) -> tuple[str, list[str]]:
    """Return what to select the keys of a rule from, one row for each, and SQL of their parts."""
    return _unnested(table, [(bare(key), is_list(key)) for key in keys])


def is_list(part: str) -> bool:
    """Whether a part gives several keys to a record."""
    return part.startswith(_UNNEST)


def bare(part: str) -> str:
    """The SQL of a part, without the mark that it gives several keys to a record."""
    return part[len(_UNNEST) : -1] if is_list(part) else part


def _unnested(origin: str, columns: list[tuple[str, bool]]) -> tuple[str, list[str]]:
    """The origin with one row for each value of its list column, if it has one, and the names of the columns then."""
    lists = [column for column, several in columns if several]
    if not lists:
        return origin, [column for column, _ in columns]
    return f"(select *, unnest({lists[0]}) as each from {origin})", ["each" if x else c for c, x in columns]
