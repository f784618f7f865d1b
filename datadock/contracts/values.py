"""The values that a contract looks at, taken out of a chunk of records by one query.

Text is read as a type by the same SQL expressions as in staging, so that the door and the
warehouse never disagree about what a date or an amount is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
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

    def broken(self, rules: EntityRules, chunk: pa.Table, *, flat: bool) -> list[dict[str, Any]]:
        """Return the values of the records (or elements of their list) that break a rule.

        Args:
            rules: The entity's rules.
            chunk: Flat: the records' text columns; else one column ``payload``.
            flat: Which of the two.

        Returns:
            For each: ``_row`` (from 0), ``_element`` (from 1, or None where the entity has no ``each``),
            each value's text by its column, and ``rule_0``, ``rule_1``, ... whether it is kept.
        """
        rows = chunk.num_rows
        if flat:
            query, chunk = _flat_query(rules, chunk)
        else:
            query = json_query(rules, "chunk")
        numbers = pa.array(np.arange(rows), pa.int64())
        kept = " and ".join(f"rule_{number}" for number in range(len(rules.rules)))
        self._connection.register("chunk", chunk.append_column("_row", numbers))
        try:
            found = self._connection.sql(f"select * from ({query}) where not ({kept})").to_arrow_table()
        finally:
            self._connection.unregister("chunk")
        rows_found: list[dict[str, Any]] = found.to_pylist()
        return rows_found


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


def json_query(rules: EntityRules, relation: str) -> str:
    """Return the query of an entity's values and rules over ``payload`` texts numbered by ``_row``."""
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
    base = f"select payload, _row as record_row, {_extract('payload', record)} as record_values from {relation}"
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


def _select(rules: EntityRules, read: Callable[[str], str], relation: str, row: str, element: str) -> str:
    """Return the query in three layers: texts as given, their readings, the rules on both."""
    given = [f"{_first(value, read)} as {identifier(value.column)}" for value in rules.values]
    only = [f"trim({read(place)}) in ({', '.join(literal(v) for v in values)})" for place, values in rules.only.items()]
    where = f" where {' and '.join(only)}" if only else ""
    texts = ", ".join([f"{row} as _row", f"{element} as _element", *given])
    readings = ", ".join(["*", *(column for value in rules.values for column in _readings(value))])
    names = ["_row", "_element", *(identifier(value.column) for value in rules.values)]
    columns = ", ".join([*names, *(f"{rule.holds} as rule_{number}" for number, rule in enumerate(rules.rules))])
    return f"select {columns} from (select {readings} from (select {texts} from {relation}{where}))"


def _first(value: Value, read: Callable[[str], str]) -> str:
    texts = [_bare(read(place)) for place in value.places]
    text = texts[0] if len(texts) == 1 else f"coalesce({', '.join(texts)})"
    renames = value.declared.map if value.declared else None
    if not renames:
        return text
    arms = " ".join(f"when {literal(old)} then nullif({literal(new)}, '')" for old, new in renames.items())
    return f"case {text} {arms} else {text} end"


def _bare(column: str) -> str:
    """Give a text without blanks around it, null where nothing is left; `trim` is dear, so only where needed."""
    blank = f"{column} like ' %' or {column} like '% '"
    return f"case when {blank} then nullif(trim({column}), '') else nullif({column}, '') end"


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
