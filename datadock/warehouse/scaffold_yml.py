"""The yml of scaffolded dbt models: descriptions with their grain, typed columns, tests, relations, freshness.

Returns plain mappings; ``scaffold`` writes them.
"""

from __future__ import annotations

from typing import Any

from datadock.catalog import Catalog, Source
from datadock.catalog.fields import FACTS
from datadock.names import staging_model
from datadock.warehouse.lake_tables import RAW
from datadock.warehouse.staging_sql import LINEAGE, staging_columns

_REQUIRED = ("source", "source_key", "party_type", *LINEAGE)
_OWN = {
    "source": "Name of the source.",
    "source_key": "Key of the record in its source; several parts are joined by `|`.",
    "party_type": "`person` or `company`.",
    "contact_source": "Source of the contact record that this row belongs to.",
    "contact_key": "Key of that contact record in its source.",
    "record_updated_at": "When the source says it last changed the record; null where it does not say.",
    "_batch_id": "Batch that brought this version: the SHA-256 of its bytes.",
    "_file": "File that brought this version.",
    "_line": "Position of the record in the file, from 1.",
    "_received_at": "When the batch was received (UTC).",
    "payload": "The record as received, as JSON text.",
    "_source": "Name of the source.",
    "_entity": "Main entity of the record.",
    "_received_date": "Day of reception (UTC); the table's partition.",
}
_GRAIN = {
    "contact": "contact record",
    "contact_address": "address of a contact record",
    "contact_role": "role of a contact record in a contract",
    "move": "announced or reported move of a contact record",
    "order": "order",
    "order_line": "order line",
    "event": "event",
    "consent": "decision on a consent",
    "store": "store",
}


def model_yml(source: Source, entity: str) -> dict[str, Any]:
    """Return the properties of one staging model."""
    name = staging_model(source.name, entity)
    columns = [_column(source, entity, column, kind) for column, kind in staging_columns(source, entity).items()]
    description = (
        f"{source.description.strip()} One row per {_GRAIN[entity]} of `{source.name}`, in its latest version."
    )
    model: dict[str, Any] = {
        "name": name,
        "description": description,
        "config": {
            "contract": {"enforced": True},
            "meta": {"dagster": {"group": "staging", "owners": [source.owner]}},
        },
        "columns": columns,
    }
    return {"version": 2, "models": [model]}


def raw_sources_yml(catalog: Catalog) -> dict[str, Any]:
    """Return the properties of the raw lake tables, one per declared source."""
    tables = []
    for source in catalog.sources.values():
        table: dict[str, Any] = {
            "name": source.name,
            "description": f"{source.description.strip()} One row per record as received; nothing is ever changed.",
            "config": {"meta": {"dagster": {"owners": [source.owner]}}, "loaded_at_field": "_received_at"},
            "columns": [{"name": name, "data_type": kind, "description": _OWN[name]} for name, kind in RAW.items()],
        }
        if source.freshness is not None:
            hours = round(source.freshness.warn_after_days * 24)
            table["config"]["freshness"] = {"warn_after": {"count": max(hours, 1), "period": "hour"}}
        tables.append(table)
    description = "Raw zone of the lake: append-only Delta tables, shown to DuckDB by the plugin."
    raw = {"name": "raw", "database": "lake", "schema": "raw", "description": description, "tables": tables}
    return {"version": 2, "sources": [raw]}


def _column(source: Source, entity: str, column: str, kind: str) -> dict[str, Any]:
    content: dict[str, Any] = {"name": column, "data_type": kind, "description": _description(source, entity, column)}
    if column in _REQUIRED:
        content["constraints"] = [{"type": "not_null"}]
    if column == "source_key":
        content["data_tests"] = ["unique"]
    if column == "contact_key" and entity in FACTS:
        content["data_tests"] = _relations(source, entity)
    return content


def _description(source: Source, entity: str, column: str) -> str:
    declared = source.entities[entity].fields.get(column)  # type: ignore[index]  # a str of EntityName
    if declared is None:
        return _OWN[column]
    words = column.replace("_", " ").capitalize()
    if declared.value is not None:
        return f"{words}: always `{declared.value}`."
    return f"{words}, from {' or '.join(f'`{place}`' for place in declared.from_)}."


def _relations(source: Source, entity: str) -> list[dict[str, Any]]:
    """Return a test per source of contacts: a fact may come before its contact, so it warns."""
    references = source.entities[entity].contact  # type: ignore[index]  # a str of EntityName
    targets = [reference.source for reference in references] if references else [source.name]
    return [
        {
            "relationships": {
                "name": f"{staging_model(source.name, entity)}_belongs_to_{target}",
                "arguments": {"to": f"ref('{staging_model(target, 'contact')}')", "field": "source_key"},
                "config": {"severity": "warn", "where": f"contact_source = '{target}'"},
            }
        }
        for target in dict.fromkeys(targets)
    ]
