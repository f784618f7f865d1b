"""Marts: dimensions and facts by golden id; then the published copy and the stewards' reports.

Nothing is published unless every blocking check before it passed.
"""

import dagster as dg

from assets.dbt_models import WAREHOUSE_POOL, build_dbt_assets
from datadock import names
from datadock.checks import suite_checks
from datadock.dock import Dock
from datadock.reports import build_reports
from datadock.warehouse.publish import publish
from expectations import plans

SELECT = "marts"
"""dbt selector: the folder of models that need the golden layer."""

PUBLISHED = dg.AssetKey([names.MARTS, "published_warehouse"])
REPORTS = dg.AssetKey([names.MARTS, "reports"])


def build(dock: Dock) -> tuple[list[dg.AssetsDefinition], list[dg.AssetChecksDefinition]]:
    """Return the marts layer of a deployment."""
    models = build_dbt_assets(dock, name="dbt_marts", select=SELECT)
    pages = [_reports()] if dock.settings.has("reports") else []
    return (
        [models, _published(sorted(models.keys)), *pages],
        [
            suite_checks(
                names.MARTS,
                lambda: plans(names.MARTS),
                name="marts_expectations",
                pool=WAREHOUSE_POOL,
                blocking=_last_ones(models),
            )
        ],
    )


def _last_ones(models: dg.AssetsDefinition) -> set[str]:
    """Return the models that no other mart reads: what comes after them is the published copy."""
    read = {key for deps in models.asset_deps.values() for key in deps}
    return {key.path[-1] for key in models.keys if key not in read}


def _published(models: list[dg.AssetKey]) -> dg.AssetsDefinition:
    @dg.asset(
        key=PUBLISHED,
        deps=models,
        group_name=names.MARTS,
        owners=["team:data-platform"],
        kinds={"duckdb"},
        pool=WAREHOUSE_POOL,
        description="A checkpointed copy of the warehouse under a new name: what readers open. One file per run.",
    )
    def published_warehouse(dock: dg.ResourceParam[Dock]) -> dg.MaterializeResult:
        with dock.progress.step("published warehouse") as note:
            path = publish(dock.settings)
            note(f"{path.stat().st_size / 2**20:,.0f} MB")
        return dg.MaterializeResult(
            metadata={"path": dg.MetadataValue.path(str(path)), "bytes": path.stat().st_size},
        )

    return published_warehouse


def _reports() -> dg.AssetsDefinition:
    @dg.asset(
        key=REPORTS,
        deps=[PUBLISHED],
        group_name=names.MARTS,
        owners=["team:data-stewards"],
        kinds={"html"},
        pool=WAREHOUSE_POOL,
        description="What stewards read without Dagster and without a network: state of the data, match quality, "
        "quarantine, Data Docs. One folder, replaced as a whole.",
    )
    def reports(context: dg.AssetExecutionContext, dock: dg.ResourceParam[Dock]) -> dg.MaterializeResult:
        with dock.progress.step("reports") as note:
            built = build_reports(dock.settings, context.run.run_id)
            note(f"{len(built.pages)} pages, {built.passed} expectations held, {built.failed} did not")
        return dg.MaterializeResult(
            metadata={
                "index": dg.MetadataValue.path(str(built.index)),
                "over http, with `datadock ui`": dg.MetadataValue.url("http://127.0.0.1:3001/index.html"),
                "expectations_passed": built.passed,
                "expectations_failed": built.failed,
            },
        )

    return reports
