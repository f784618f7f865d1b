"""The values that a contract looks at, taken out of a chunk of records by one query.

Text is read as a type by the same SQL expressions as in staging, so that the door and the
warehouse never disagree about what a date or an amount is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

from datadock.contracts.engine import connection
from datadock.contracts.rules import EntityRules, Value
from datadock.warehouse.values_sql import identifier, literal, typed


def keys_of(place: str) -> tuple[str, ...]:
    """Split a place of a declaration into keys: `Nom` is one key, `$.a.b` two, `$` none."""
    place = place.removeprefix("^")
    if place == "$":
        return ()
    return tuple(place[2:].split(".")) if place.startswith("$.") else (place,)


def json_path(keys: Sequence[str]) -> str:
    """Write keys as a JSON pointer, which has a spelling for every name."""
    return "".join("/" + key.replace("~", "~0").replace("/", "~1") for key in keys)


class ValueReader:
    """Reads the values of entities out of chunks, on a DuckDB connection of its own."""

    def __init__(self) -> None:
        self._connection = connection()

    def read(self, rules: EntityRules, chunk: pa.Table, *, flat: bool) -> pl.DataFrame:
        """Return the values of one entity.

        Args:
            rules: The entity's rules.
            chunk: Flat: the records' text columns; else one column ``payload``.
            flat: Which of the two.

        Returns:
            One row per record (per element, where the entity has ``each``): ``_row`` (from 0),
            ``_element`` (from 1, or null), each value's text, and its reading where asked for.
        """
        rows = chunk.num_rows
        if flat:
            query, chunk = _flat_query(rules, chunk)
        else:
            query = _json_query(rules)
        numbers = pa.array(np.arange(rows), pa.int64())
        self._connection.register("chunk", chunk.append_column("_row", numbers))
        try:
            return pl.DataFrame(self._connection.sql(query).to_arrow_table())
        finally:
            self._connection.unregister("chunk")


def _flat_query(rules: EntityRules, chunk: pa.Table) -> tuple[str, pa.Table]:
    """Return the query, and the columns it needs under names that differ by more than case."""
    present = {name: number for number, name in enumerate(chunk.column_names)}
    needed: list[int] = []

    def read(place: str) -> str:
        keys = keys_of(place)
        if len(keys) != 1 or keys[0] not in present or rules.each is not None:
            return "cast(null as varchar)"
        if present[keys[0]] not in needed:
            needed.append(present[keys[0]])
        return f"column_{needed.index(present[keys[0]])}"

    query = _select(rules, read, "chunk", "_row", "cast(null as bigint)")
    columns = chunk.select(needed).rename_columns([f"column_{number}" for number in range(len(needed))])
    return query + (" limit 0" if rules.each is not None else ""), columns


def _json_query(rules: EntityRules) -> str:
    record: list[str] = []
    element: list[str] = []

    def read(place: str) -> str:
        if place == "#":
            return "cast(element_number as varchar)"
        inner = rules.each is not None and not place.startswith("^")
        paths = element if inner else record
        path = json_path(keys_of(place))
        if path not in paths:
            paths.append(path)
        return f"{'element_values' if inner else 'record_values'}[{paths.index(path) + 1}]"

    select = _select(rules, read, "opened", "record_row", "element_number")
    base = f"select payload, _row as record_row, {_extract('payload', record)} as record_values from chunk"
    if rules.each is None:
        return f"with opened as (select *, cast(null as bigint) as element_number from ({base})) {select}"
    listed = f"cast(json_extract(payload, {literal(json_path(keys_of(rules.each)))}) as json[])"
    is_list = f"json_type(payload, {literal(json_path(keys_of(rules.each)))}) = 'ARRAY'"
    elements = (
        f"select record_row, record_values, unnest(list_zip(items, range(1, len(items) + 1))) as item "
        f"from (select *, {listed} as items from based where {is_list})"
    )
    opened = (
        "select record_row, record_values, item[2] as element_number, "
        f"{_extract('item[1]', element)} as element_values from elements"
    )
    return f"with based as ({base}), elements as ({elements}), opened as ({opened}) {select}"


def _extract(column: str, paths: list[str]) -> str:
    if not paths:
        return "cast([] as varchar[])"
    return f"json_extract_string({column}, [{', '.join(literal(path) for path in paths)}])"


def _select(rules: EntityRules, read: Any, relation: str, row: str, element: str) -> str:
    given = [f"{_first(value, read)} as {identifier(value.column)}" for value in rules.values]
    only = [
        f"trim({read(place)}) in ({', '.join(literal(item) for item in items)})" for place, items in rules.only.items()
    ]
    typed_columns = [column for value in rules.values for column in _readings(value)]
    names = [identifier(value.column) for value in rules.values]
    held = f"coalesce({' and '.join(only)}, false)" if only else "true"
    inner = ", ".join([f"{row} as _row", f"{element} as _element", *given, f"{held} as _held"])
    columns = ", ".join(["_row", "_element", *names, *typed_columns])
    return f"select {columns} from (select {inner} from {relation}) where _held"


def _first(value: Value, read: Any) -> str:
    texts = [f"nullif(trim({read(place)}), '')" for place in value.places]
    text = texts[0] if len(texts) == 1 else f"coalesce({', '.join(texts)})"
    renames = value.declared.map if value.declared else None
    if not renames:
        return text
    arms = " ".join(f"when {literal(old)} then nullif({literal(new)}, '')" for old, new in renames.items())
    return f"case {text} {arms} else {text} end"


def _readings(value: Value) -> list[str]:
    """Return the columns that read a value as its type, and as a number where it has a range."""
    column = identifier(value.column)
    columns = []
    if value.type is not None and value.declared is not None:
        columns.append(f"{typed(column, value.type, value.declared.formats)} as {identifier(value.column + '__typed')}")
    if value.ranged:
        number = f"coalesce(try_cast({column} as double), cast({typed(column, 'decimal')} as double))"
        columns.append(f"{number} as {identifier(value.column + '__number')}")
    return columns
