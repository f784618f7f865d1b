"""What starts work: one module per event, each a few lines round a function of ``datadock.events``.

The cursor and the run requests are returned together; run keys are deterministic, so a tick that is
repeated launches nothing twice.
"""

import dagster as dg

from datadock.dock import Dock
from sensors import daily, landing_files, raw_moved, run_failed


def build(dock: Dock) -> tuple[list[dg.SensorDefinition], list[dg.ScheduleDefinition]]:
    """Return every sensor and every schedule of a deployment; none where the module is off."""
    if not dock.settings.has("sensors"):
        return [], []
    return [landing_files.build(dock), raw_moved.build(dock), run_failed.build(dock)], [daily.build()]
