"""The one code location: ``build_definitions`` assembles a fresh set, with settings and dock of the caller's.

Tests hand in settings of a temporary folder; nothing is patched.
"""

from __future__ import annotations

import dagster as dg

import assets
import sensors
from datadock.dock import Dock, open_dock
from datadock.jobs import build_jobs
from datadock.settings import Settings


def build_definitions(dock: Dock) -> dg.Definitions:
    """Assemble assets, checks, jobs, sensors and schedules of one deployment.

    Args:
        dock: The opened deployment; handed to every asset as the resource ``dock``.
    """
    found, checks = assets.build(dock)
    watching, clocks = sensors.build(dock)
    return dg.Definitions(
        assets=found,
        asset_checks=checks,
        jobs=build_jobs(),
        sensors=watching,
        schedules=clocks,
        resources={"dock": dock},
        executor=dg.in_process_executor,
    )


@dg.definitions
def defs() -> dg.Definitions:
    """Definitions of the deployment that the environment names; what ``dagster dev`` loads."""
    return build_definitions(open_dock(Settings(), progress=True))
