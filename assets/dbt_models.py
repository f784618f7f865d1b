"""dbt models as assets: one factory, used by the staging and the marts layer.

dbt runs inside this process; each model becomes a materialization, each test a check.
"""

import json
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import dbt_assets

from datadock.dock import Dock
from datadock.errors import WarehouseError
from datadock.warehouse.dbt import DbtRun, NodeResult, prepare_manifest, run_dbt

WAREHOUSE_POOL = "warehouse"
"""Whatever opens the warehouse file: one run at a time."""

FULL = "datadock/full"
"""Run tag: rebuild the warehouse from the lake."""


def build_dbt_assets(dock: Dock, *, name: str, select: str) -> dg.AssetsDefinition:
    """Return the chosen models and their tests as assets and checks.

    Args:
        dock: The opened deployment, for its manifest.
        name: Name of the step.
        select: dbt selector of the models.
    """
    manifest = _manifest(dock)

    @dbt_assets(manifest=manifest, select=select, name=name, pool=WAREHOUSE_POOL)
    def models(context: dg.AssetExecutionContext, dock: dg.ResourceParam[Dock]) -> Iterator[Any]:
        with dock.progress.step(name) as note:
            chosen = _chosen(context, select)
            full = FULL in context.run.tags
            run = run_dbt(dock.settings, select=chosen, full_refresh=full, run_id=context.run.run_id)
            note(_words(run))
        yield from _events(context, run)
        run.raise_for_problems()

    return models


def _manifest(dock: Dock) -> Path:
    path = dock.settings.dbt_project / "target" / "manifest.json"
    newest = max(p.stat().st_mtime for p in dock.settings.dbt_project.rglob("*") if _is_input(p))
    if not path.exists() or path.stat().st_mtime < newest:
        prepare_manifest(dock.settings)
    if not json.loads(path.read_text(encoding="utf-8"))["nodes"]:
        raise WarehouseError(f"the dbt project {dock.settings.dbt_project} has no model", action="datadock source add")
    return path


def _is_input(path: Path) -> bool:
    return path.suffix in {".sql", ".yml"} and not {"target", "logs"} & set(path.parts)


def _chosen(context: dg.AssetExecutionContext, select: str) -> list[str]:
    """Return dbt selectors: the whole layer, or the models that were asked for in the UI."""
    if not context.is_subset:
        return [select]
    models = [key.path[-1] for key in context.selected_asset_keys]
    return models + [key.name for key in context.selected_asset_check_keys if key.asset_key.path[-1] not in models]


def _events(context: dg.AssetExecutionContext, run: DbtRun) -> Iterator[Any]:
    nodes = {node.name: node for node in run.nodes if node.kind == "model"}
    checks = {key.name: key for key in context.selected_asset_check_keys}
    for key in TopologicalSorter(context.assets_def.asset_deps).static_order():
        node = nodes.get(key.path[-1]) if key in context.selected_asset_keys else None
        if node is not None and node.good and node.status != "skipped":
            yield dg.MaterializeResult(asset_key=key, metadata=_metadata(node))
    judged = {node.name: node for node in run.nodes if node.kind == "test" and node.status != "skipped"}
    standing = {node.name for node in run.nodes if node.status == "unchanged"}
    for name, key in checks.items():
        if name in judged:
            yield _check(key, judged[name])
        elif key.asset_key.path[-1] in standing:
            yield _standing(key)


def _metadata(node: NodeResult) -> dict[str, Any]:
    counted = {} if node.rows is None else {"dagster/row_count": node.rows}
    return {**counted, "seconds": round(node.seconds, 3), "rewritten": node.status != "unchanged"}


def _check(key: dg.AssetCheckKey, node: NodeResult) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        passed=node.status == "pass",
        asset_key=key.asset_key,
        check_name=key.name,
        severity=dg.AssetCheckSeverity.WARN if node.status == "warn" else dg.AssetCheckSeverity.ERROR,
        metadata={"expected": "no failing row", "found": node.failures or 0, "message": node.message},
    )


def _standing(key: dg.AssetCheckKey) -> dg.AssetCheckResult:
    """Return the verdict on a table that was not rewritten: a model whose test failed is always rebuilt."""
    found = "the table was not rewritten since the check last passed"
    return dg.AssetCheckResult(passed=True, asset_key=key.asset_key, check_name=key.name, metadata={"found": found})


def _words(run: DbtRun) -> str:
    models = [node for node in run.nodes if node.kind == "model"]
    built = sum(node.status != "unchanged" for node in models)
    tests = sum(node.kind == "test" for node in run.nodes)
    return f"{built} of {len(models)} models built, {tests} tests, {len(run.problems())} problems"
