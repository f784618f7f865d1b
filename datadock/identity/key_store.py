"""Blocking keys of every record, kept by difference, so that a run finds who could pair with its new records.

``golden/keys`` may be dropped: a run without it looks at all records and writes it anew. It may tell too much (keys of
a record as it was before), never too little: pairs are made from the features of those found. Rules are ``blocking``'s.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import duckdb

from datadock.identity.block_keys import KeyParts, is_list
from datadock.identity.blocking import Rule
from datadock.identity.workspace import Workspace

KEYS = "golden/keys"
"""Delta table: source, source_key, keys (numbers; the hash of a rule's name and parts); may be dropped."""

_READ_AT_ONCE = 100_000


def record_keys_sql(parts: KeyParts, rules: Sequence[Rule], records: str) -> str:
    """Return SQL of source, source_key and keys of some records.

    Args:
        parts: Hashed parts of the records, of all rules.
        rules: The model's.
        records: Table of rid, source, source_key.
    """
    single, several = [], []
    for rule in rules:
        columns = [parts.columns[key] for key in rule.keys]
        lists = [parts.columns[key] for key in rule.keys if is_list(key)]
        known = " and ".join(f"{column} is not null" for column in columns)
        of_each = ", ".join("v" if column in lists else column for column in columns)
        # Half a number is enough: two keys that fall together only bring a record too much.
        key = f"(hash('{rule.name}', {of_each}) & 2147483647)::integer"
        if lists:
            several.append(f"case when {known} then list_transform({lists[0]}, lambda v: {key}) else [] end")
        else:
            single.append(f"case when {known} then {key} end")
    lists_of_keys = ", ".join([f"[{', '.join(single)}]::integer[]", *several])
    every = f"list_concat({lists_of_keys})"
    return (
        f"select source, source_key, list_filter({every}, lambda k: k is not null) as keys "
        f"from {parts.table} join {records} using (rid)"
    )


def append_keys(
    con: duckdb.DuckDBPyConnection, workspace: Workspace, tables: Sequence[str], pairs: Mapping[str, Any]
) -> None:
    """Append keys of records.

    Args:
        con: Connection.
        workspace: The run's workspace.
        tables: Tables of source, source_key, keys.
        pairs: Inputs of the pairs that are made of the same records and rules.
    """
    rows = con.sql(" union all ".join(f"from {table}" for table in tables)).to_arrow_reader(_READ_AT_ONCE)
    workspace.append(KEYS, rows, _inputs(pairs))


def knows_keys(workspace: Workspace, pairs: Mapping[str, Any]) -> bool:
    """Tell whether the stored keys are of the records and rules that pairs with these inputs were made of."""
    return bool(pairs) and workspace.cursor(KEYS) == _inputs(pairs)


def create_partners(con: duckdb.DuckDBPyConnection, workspace: Workspace, fresh: str, target: str) -> None:
    """Create the table of the records that share a key with a fresh one, and of the fresh ones: source, source_key.

    Args:
        con: Connection.
        workspace: The run's workspace.
        fresh: Table of source, source_key, keys.
        target: Table to create.
    """
    con.execute(f"create or replace temp table dd_sought as select distinct unnest(keys) as key from {fresh}")
    con.execute(
        f"create or replace temp table {target} as select source, source_key from {fresh} union "
        f"select source, source_key from (select source, source_key, unnest(keys) as key from "
        f"{workspace.scan_or_empty(KEYS, {'source': 'varchar', 'source_key': 'varchar', 'keys': 'integer[]'})}) "
        "semi join dd_sought using (key)"
    )


def _inputs(pairs: Mapping[str, Any]) -> dict[str, Any]:
    return {"pairs": dict(pairs), "hashed_by": f"duckdb {duckdb.__version__}"}
