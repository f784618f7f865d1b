"""A failed run raises an alert, once per run."""

import dagster as dg

from datadock.dock import Dock
from datadock.state import Alert


def build(dock: Dock) -> dg.SensorDefinition:
    """Return the sensor over failed runs of every job."""

    @dg.run_failure_sensor(
        name="run_failed",
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Raises an alert row in the state store for each failed run.",
    )
    def run_failed(context: dg.RunFailureSensorContext) -> None:
        run = context.dagster_run
        dock.state.raise_alert(
            Alert(
                f"run:{run.run_id}", "anomaly", 4, f"run of {run.job_name} failed", context.failure_event.message or ""
            )
        )

    return run_failed
