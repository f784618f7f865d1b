"""A raw table that moved starts what depends on it: one run for all that moved since the last tick."""

import dagster as dg

from datadock import names
from datadock.dock import Dock
from datadock.events.movement import movement
from datadock.jobs import REFRESH


def build(dock: Dock) -> dg.SensorDefinition:
    """Return the sensor over the raw tables' Delta versions."""

    @dg.sensor(
        name="raw_moved",
        job_name=REFRESH,
        minimum_interval_seconds=30,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Rebuilds staging, golden and marts when a raw table has a new Delta version.",
    )
    def raw_moved(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        versions = {name: dock.lake.version(names.raw_table(name)) for name in dock.catalog.sources}
        found = movement(context.cursor, versions)
        if not found.moved:
            return dg.SkipReason(f"no new version in {len(versions)} raw tables")
        request = dg.RunRequest(run_key=found.key, tags={"datadock/moved": ",".join(found.moved)})
        return dg.SensorResult(run_requests=[request], cursor=found.cursor)

    return raw_moved
