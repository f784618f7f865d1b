"""Which models changed since the warehouse built them: those are built from nothing.

A model counts as changed when its SQL, its yml, a macro it uses or anything upstream of it changed,
so that an incremental table never holds rows of two definitions.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

from datadock.settings import Settings
from datadock.warehouse.store import open_warehouse

_TABLE = """
create table if not exists datadock.models (
    model varchar not null,
    digest varchar not null,
    built_at timestamp with time zone not null
)
"""


def forget(settings: Settings, manifest: Any, *, full_refresh: bool = False) -> Any:
    """Drop the tables of models that changed, so that dbt builds them from nothing; return the manifest.

    Args:
        settings: The deployment.
        manifest: dbt's manifest of the project as it is now.
        full_refresh: Leave everything: dbt rebuilds it anyhow.
    """
    if full_refresh:
        return manifest
    digests = model_digests(manifest)
    with open_warehouse(settings, read_only=False) as con:
        con.execute(_TABLE)
        known = dict(con.execute("select model, digest from datadock.models").fetchall())
        for unique_id, digest in digests.items():
            node = manifest.nodes[unique_id]
            if unique_id in known and known[unique_id] != digest and node.config.materialized == "incremental":
                con.execute(f'drop table if exists "{node.schema}"."{node.alias}" cascade')
                con.execute("delete from datadock.cursors where model = ?", [node.alias])
    return manifest


def remember(settings: Settings, manifest: Any, built: Iterable[str]) -> None:
    """Keep the digests of the models that were built."""
    digests = model_digests(manifest)
    rows = [[unique_id, digests[unique_id]] for unique_id in built if unique_id in digests]
    if not rows:
        return
    with open_warehouse(settings, read_only=False) as con:
        con.execute(_TABLE)
        con.execute("begin")
        con.execute("delete from datadock.models where model in (select unnest(?::varchar[]))", [[r[0] for r in rows]])
        con.executemany("insert into datadock.models values (?, ?, now())", rows)
        con.execute("commit")


def model_digests(manifest: Any) -> dict[str, str]:
    """Return a digest per model of everything that its rows depend on, apart from data."""
    digests: dict[str, str] = {}

    def digest(unique_id: str) -> str:
        if unique_id not in digests:
            node = manifest.nodes[unique_id]
            parts = [node.checksum.checksum, str(node.config.materialized)]
            parts += [f"{name}:{column.data_type}" for name, column in node.columns.items()]
            parts += sorted(_macros(manifest, node.depends_on.macros))
            parts += sorted(digest(parent) for parent in node.depends_on.nodes if parent.startswith("model."))
            digests[unique_id] = hashlib.sha256("\n".join(parts).encode()).hexdigest()
        return digests[unique_id]

    for unique_id in manifest.nodes:
        if unique_id.startswith("model."):
            digest(unique_id)
    return digests


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
