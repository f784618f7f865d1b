"""Writing the dbt part of a declaration: staging models with their yml, and the list that the unions loop over.

A model is written once and belongs to the analyst from then on: a file that was changed by hand is
never overwritten, unless asked. The lists under ``macros/generated`` are written anew every time.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import yaml

from datadock.catalog import Catalog, Source
from datadock.catalog.fields import MODEL
from datadock.errors import WarehouseError
from datadock.names import staging_model
from datadock.warehouse.scaffold_yml import model_yml, raw_sources_yml
from datadock.warehouse.staging_sql import staging_columns, staging_steps, with_steps
from datadock.warehouse.values_sql import SQL_TYPES, value_macros

_RECORD = "models/staging/.scaffold.json"

_LISTED = ("contact_address", "contact_role", "order_line")
"""Entities that a record lists as they are now."""


def scaffold(catalog: Catalog, dbt_project: Path, source: str | None = None, *, force: bool = False) -> list[Path]:
    """Write the staging models of one source or of all, and the generated lists.

    Args:
        catalog: The validated catalog.
        dbt_project: Folder of the dbt project.
        source: Name of a source; every source where None.
        force: Overwrite models that were changed by hand, too.

    Returns:
        The files that were written or changed; none where everything was there.

    Raises:
        CatalogError: When no such source is declared.
        WarehouseError: When there is no dbt project in the folder.
    """
    if not (dbt_project / "dbt_project.yml").exists():
        raise WarehouseError(
            f"there is no dbt project in {dbt_project}",
            expected="a folder with dbt_project.yml",
            action="set DATADOCK_DBT_PROJECT to the project's folder",
        )
    chosen = list(catalog.sources.values()) if source is None else [catalog.source(source)]
    record = _read_record(dbt_project)
    written = []
    for one in chosen:
        for path, text in _model_files(one).items():
            if _write_model(dbt_project, path, text, record, force):
                written.append(dbt_project / path)
    for path, text in _generated(catalog).items():
        if _write_if_changed(dbt_project / path, text):
            written.append(dbt_project / path)
    text = json.dumps(record, indent=2, sort_keys=True) + "\n"
    _write_if_changed(dbt_project / _RECORD, text)
    return written


def missing_models(catalog: Catalog, dbt_project: Path) -> list[str]:
    """Return the staging models that the catalog calls for and the dbt project does not have."""
    return [
        staging_model(source.name, entity)
        for source in catalog.sources.values()
        for entity in source.entities
        if not (dbt_project / _model_path(source.name, entity, "sql")).exists()
    ]


def staging_model_sql(source: Source, entity: str) -> str:
    """Return the text of a staging model: configuration, named steps, explicit columns."""
    steps = staging_steps(source, entity, f"{{{{ lake_rows(source('raw', '{source.name}')) }}}}", macros=True)
    steps["latest"] = steps.pop("final")
    steps["final"] = "{{ newer_than_known('latest') }}"
    columns = ",\n    ".join(staging_columns(source, entity))
    return (
        "{{ config(\n"
        "    materialized='incremental',\n"
        "    incremental_strategy='delete+insert',\n"
        "    unique_key='source_key',\n"
        "    on_schema_change='append_new_columns',\n"
        f"    post_hook=\"{{{{ remember('raw/{source.name}') }}}}\"\n"
        ") }}\n\n"
        f"{with_steps(steps)}\n\nselect\n    {columns}\nfrom final\n"
    )


def contact_columns(catalog: Catalog) -> dict[str, str]:
    """Return the columns of the contact model: the vocabulary's, then sources' own fields of a linking kind."""
    columns = {name: SQL_TYPES[kind] for name, (_, kind) in MODEL["contact"].items()}
    for source in catalog.with_entity("contact"):
        for name in source.entities["contact"].fields:
            if name not in columns and source.kind("contact", name) != "attribute":
                columns[name] = SQL_TYPES[source.type("contact", name)]
    return columns


def _model_path(source: str, entity: str, suffix: str) -> str:
    return f"models/staging/{source}/{staging_model(source, entity)}.{suffix}"


def _model_files(source: Source) -> dict[str, str]:
    files = {}
    for entity in source.entities:
        files[_model_path(source.name, entity, "sql")] = staging_model_sql(source, entity)
        files[_model_path(source.name, entity, "yml")] = _as_yaml(model_yml(source, entity))
    return files


def _generated(catalog: Catalog) -> dict[str, str]:
    head = "{#- Written by `datadock source add` from the catalog; edit the declarations instead. -#}\n"
    known = json.dumps(_catalog_sources(catalog), indent=4, ensure_ascii=False)
    return {
        "macros/generated/catalog_sources.sql": (
            f"{head}{{% macro catalog_sources() -%}}\n{{{{ return({known}) }}}}\n{{%- endmacro %}}\n"
        ),
        "macros/generated/read_values.sql": head + value_macros(),
        "models/staging/_raw.yml": _as_yaml(raw_sources_yml(catalog)),
    }


def _catalog_sources(catalog: Catalog) -> dict[str, Any]:
    """Return, per entity, the union's columns with types and the staging models with their columns."""
    found: dict[str, Any] = {}
    for entity, fields in MODEL.items():
        sources = catalog.with_entity(entity)
        columns = {"source": "varchar", "source_key": "varchar"}
        if entity == "contact":
            columns |= {"party_type": "varchar", **contact_columns(catalog)}
        else:
            if entity != "store":
                columns |= {"contact_source": "varchar", "contact_key": "varchar"}
            columns |= {name: SQL_TYPES[kind] for name, (_, kind) in fields.items()}
        columns |= {"record_updated_at": SQL_TYPES["timestamp"], "_batch_id": "varchar", "_file": "varchar"}
        columns |= {"_line": "bigint", "_received_at": SQL_TYPES["timestamp"]}
        models = [
            {
                "source": source.name,
                "name": staging_model(source.name, entity),
                "columns": [name for name in staging_columns(source, entity) if name in columns],
                **_enclosing(source, entity),
            }
            for source in sources
        ]
        found[entity] = {"columns": columns, "models": models}
    return found


def _enclosing(source: Source, entity: str) -> dict[str, str]:
    """Return the model of the records whose newest version says which elements there are, where that is so.

    Lines, addresses and roles are what the newest version of their record lists. Events and consents are history:
    what a record once told stays.
    """
    main = source.entities[source.main_entity]
    listed = entity in _LISTED and entity != source.main_entity and source.entities[entity].each  # type: ignore[index]
    if not listed or main.each or main.only:
        return {}
    return {"enclosing": staging_model(source.name, source.main_entity)}


def _write_model(project: Path, path: str, text: str, record: dict[str, str], force: bool) -> bool:
    """Write a model's file unless an analyst changed it; tell whether it was written."""
    target = project / path
    now = hashlib.sha256(target.read_bytes()).hexdigest() if target.exists() else None
    if now is not None and now != record.get(path) and not force:
        return False
    changed = _write_if_changed(target, text)
    record[path] = hashlib.sha256(text.encode()).hexdigest()
    return changed


def _write_if_changed(target: Path, text: str) -> bool:
    if target.exists() and target.read_text(encoding="utf-8") == text:
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{target.name}.draft")
    draft.write_text(text, encoding="utf-8")
    draft.replace(target)
    return True


def _read_record(project: Path) -> dict[str, str]:
    path = project / _RECORD
    record: dict[str, str] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return record


def _as_yaml(content: dict[str, Any]) -> str:
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=116)
