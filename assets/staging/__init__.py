"""Staging: typed source records and the union of all sources into one model of the customer.

Both are one dbt step, so a staging suite cannot stop the union: it stops, at the union's tables, what comes after.
"""

import dagster as dg

from assets.dbt_models import WAREHOUSE_POOL, build_dbt_assets
from datadock import names
from datadock.checks import suite_checks
from datadock.dock import Dock
from datadock.expect import SuitePlan, declared_tables
from expectations import plans

SELECT = "staging intermediate"
"""dbt selector: the two folders of models that the golden layer needs."""


def build(dock: Dock) -> tuple[list[dg.AssetsDefinition], list[dg.AssetChecksDefinition]]:
    """Return the staging layer of a deployment."""

    def suites() -> list[SuitePlan]:
        return list(plans(names.STAGING, declared_tables(dock.catalog)))

    models = build_dbt_assets(dock, name="dbt_staging", select=SELECT)
    gates = sorted(key for key in models.keys if key.path[0] == names.INTERMEDIATE)
    checks = suite_checks(names.STAGING, suites, name="staging_expectations", pool=WAREHOUSE_POOL, gates=gates)
    return [models], [checks]
