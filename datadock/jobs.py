"""The jobs: what runs together. A job is a selection of assets; none has logic of its own."""

from __future__ import annotations

import dagster as dg

from datadock import names

PLATFORM = "platform"
LAND = "land"
QUALITY = "quality"
REFRESH = "refresh"
TREATMENT = "treatment"

TREATMENTS_STEP = "treatments"
"""Step that does what is asked of a treatment: its run config holds the request."""


def build_jobs() -> list[dg.UnresolvedAssetJobDefinition]:
    """Return the deployment's jobs, in-process: a process per step costs more than these steps."""
    raw = dg.AssetSelection.groups(names.RAW)
    return [
        dg.define_asset_job(
            PLATFORM, dg.AssetSelection.all(), description="Everything: land, stage, resolve, publish, report."
        ),
        dg.define_asset_job(LAND, raw, description="Pulls and lands what waits, for the chosen sources."),
        dg.define_asset_job(
            QUALITY,
            dg.AssetSelection.groups(names.QUALITY),
            description="Normalises what is new or touched by a newer reference, and judges contact points.",
        ),
        dg.define_asset_job(
            TREATMENT,
            dg.AssetSelection.assets(*(table.split("/") for table in names.TREATED)),
            description="Treats a set of contacts: rnvp, moves, enrichment or iris, as the run config asks.",
        ),
        dg.define_asset_job(
            REFRESH, dg.AssetSelection.all() - raw, description="Everything after the raw tables, from what has landed."
        ),
    ]
