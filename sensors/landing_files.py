"""Files dropped in ``landing/<source>/`` start that source's run: one run per source, never per file.

A file is taken once it has not changed for a while, so that a slow upload is not landed half.
"""

import dagster as dg

from datadock import names
from datadock.dock import Dock
from datadock.events.arrivals import arrival, waiting
from datadock.jobs import LAND

SETTLE_SECONDS = 5.0
"""Time without change after which a dropped file counts as whole."""


def build(dock: Dock) -> dg.SensorDefinition:
    """Return the sensor over the deployment's drop folders."""

    @dg.sensor(
        name="landing_files",
        job_name=LAND,
        minimum_interval_seconds=15,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Lands what was dropped in landing/<source>/.",
    )
    def landing_files(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        requests = []
        for source in dock.catalog.sources.values():
            folder = dock.settings.landing / source.name
            found = arrival(source.name, waiting(folder, source.pattern, settle_seconds=SETTLE_SECONDS))
            if found:
                key = dg.AssetKey([names.RAW, source.name])
                requests.append(dg.RunRequest(run_key=f"{source.name}:{found.key}", asset_selection=[key]))
        if not requests:
            return dg.SkipReason(f"no file waits in {len(dock.catalog.sources)} drop folders")
        context.log.info("%d sources have files waiting", len(requests))
        return dg.SensorResult(run_requests=requests)

    return landing_files
