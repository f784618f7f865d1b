"""A raw table that moved starts what depends on it: one run for all that moved since the last tick.

What a run from the command line has built, or is about to build, starts nothing.
"""

import dagster as dg

from datadock import names
from datadock.dock import Dock
from datadock.events.movement import movement
from datadock.events.under_way import run_under_way
from datadock.fingerprint import fingerprint
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
        moved = ", ".join(found.moved)
        if run_under_way(dock.settings.home_path / "state" / "run.lock"):
            return dg.SkipReason(f"a run is under way; looked at again after it: {moved}")
        last = dock.state.last_run("success")
        if last and last.fingerprint == fingerprint(dock):
            return dg.SensorResult(skip_reason=f"run {last.run_id[:8]} has built {moved}", cursor=found.cursor)
        request = dg.RunRequest(run_key=found.key, tags={"datadock/moved": ",".join(found.moved)})
        return dg.SensorResult(run_requests=[request], cursor=found.cursor)

    return raw_moved
