"""Which models must be built: those whose definition changed, and those whose lake tables moved.

A model's definition is its SQL, its columns, the macros it uses and everything upstream; where it
changed the table is built from nothing, so that it never holds rows of two definitions. Where
neither the definition nor a lake table upstream moved there is nothing to build.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import duckdb

from datadock.lake import Lake
from datadock.settings import Settings
from datadock.warehouse.store import open_warehouse

_TABLE = """
create table if not exists datadock.models (
    model varchar not null,
    definition varchar not null,
    state varchar not null,
    built_at timestamp with time zone not null
)
"""


@dataclass(frozen=True)
class ModelState:
    """What a model's table is made from.

    Attributes:
        definition: Digest of everything but data.
        state: Digest of the definition and of the versions of all lake tables upstream.
    """

    definition: str
    state: str


def model_states(settings: Settings, manifest: Any) -> dict[str, ModelState]:
    """Return the state of each model as it would be built now, by dbt's unique id."""
    lake = Lake(settings.lake_root)
    definitions = _definitions(manifest)
    tables = {unique_id: _lake_tables(manifest, unique_id) for unique_id in definitions}
    versions = {table: lake.version(table) for table in sorted(set().union(*tables.values()))}
    return {
        unique_id: ModelState(definition, _state(definition, tables[unique_id], versions))
        for unique_id, definition in definitions.items()
    }


def stale_models(settings: Settings, manifest: Any, states: Mapping[str, ModelState]) -> set[str]:
    """Return the models that must be built, and drop the tables of those whose definition changed.

    Args:
        settings: The deployment.
        manifest: dbt's manifest of the project as it is now.
        states: What ``model_states`` returned.
    """
    stale = set()
    with open_warehouse(settings, read_only=False) as con:
        con.execute(_TABLE)
        rows = con.execute("select model, definition, state from datadock.models").fetchall()
        known = {model: ModelState(definition, state) for model, definition, state in rows}
        for unique_id, state in states.items():
            if known.get(unique_id) == state:
                continue
            stale.add(unique_id)
            node = manifest.nodes[unique_id]
            incremental = node.config.materialized == "incremental"
            if incremental and unique_id in known and known[unique_id].definition != state.definition:
                _drop(con, node.schema, node.alias)
                con.execute("delete from datadock.cursors where model = ?", [node.alias])
    return stale


def _drop(con: duckdb.DuckDBPyConnection, schema: str, name: str) -> None:
    """Drop what stands under a model's name: a table, or the view that the model was before."""
    found = con.execute(
        "select table_type from information_schema.tables where table_schema = ? and table_name = ?", [schema, name]
    ).fetchall()
    for (kind,) in found:
        con.execute(f'drop {"view" if kind == "VIEW" else "table"} "{schema}"."{name}"')


def remember(settings: Settings, states: Mapping[str, ModelState], built: Iterable[str]) -> None:
    """Keep the states of the models that were built and whose tests passed."""
    rows = [[model, states[model].definition, states[model].state] for model in built if model in states]
    if not rows:
        return
    with open_warehouse(settings, read_only=False) as con:
        con.execute("begin")
        con.execute("delete from datadock.models where model in (select unnest(?::varchar[]))", [[r[0] for r in rows]])
        con.executemany("insert into datadock.models values (?, ?, ?, now())", rows)
        con.execute("commit")


def forget(settings: Settings, models: Iterable[str]) -> None:
    """Make the given models stale; for those whose test failed."""
    names = list(models)
    if names:
        with open_warehouse(settings, read_only=False) as con:
            con.execute("update datadock.models set state = '' where model in (select unnest(?::varchar[]))", [names])


def _state(definition: str, tables: Iterable[str], versions: Mapping[str, int]) -> str:
    text = definition + "".join(f"\n{table}={versions[table]}" for table in sorted(tables))
    return hashlib.sha256(text.encode()).hexdigest()


def _definitions(manifest: Any) -> dict[str, str]:
    definitions: dict[str, str] = {}

    def define(unique_id: str) -> str:
        if unique_id not in definitions:
            node = manifest.nodes[unique_id]
            parts = [node.checksum.checksum, str(node.config.materialized)]
            parts += [f"{name}:{column.data_type}:{column.constraints}" for name, column in node.columns.items()]
            parts += sorted(_macros(manifest, node.depends_on.macros))
            parts += sorted(define(parent) for parent in node.depends_on.nodes if parent.startswith("model."))
            definitions[unique_id] = hashlib.sha256("\n".join(parts).encode()).hexdigest()
        return definitions[unique_id]

    for unique_id in manifest.nodes:
        if unique_id.startswith("model."):
            define(unique_id)
    return definitions


def _lake_tables(manifest: Any, unique_id: str) -> set[str]:
    """Return the lake tables that a model reads, itself or by way of other models."""
    waiting, seen, tables = [unique_id], set(), set()
    while waiting:
        at = waiting.pop()
        if at in seen:
            continue
        seen.add(at)
        if at.startswith("source."):
            source = manifest.sources[at]
            tables.add(f"{source.schema}/{source.identifier}")
        else:
            waiting += manifest.nodes[at].depends_on.nodes
    return tables


def _macros(manifest: Any, used: Iterable[str]) -> set[str]:
    """Return the text of the project's own macros that are used, directly or not."""
    waiting, seen, texts = list(used), set(), set()
    while waiting:
        unique_id = waiting.pop()
        macro = manifest.macros.get(unique_id)
        if unique_id in seen or macro is None or macro.package_name != "datadock":
            continue
        seen.add(unique_id)
        texts.add(macro.macro_sql)
        waiting += macro.depends_on.macros
    return texts
