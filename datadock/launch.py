"""Running the platform's job in this process, on Dagster's instance of the deployment.

What is launched here stands in the Dagster UI like any other run.
"""

from __future__ import annotations

from dataclasses import dataclass

import dagster as dg

from datadock.definitions import build_definitions
from datadock.dock import Dock
from datadock.instance import open_instance
from datadock.jobs import PLATFORM

_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}

FULL = "datadock/full"
"""Run tag: rebuild the warehouse from the lake."""


@dataclass(frozen=True)
class Launched:
    """How a launched run ended.

    Attributes:
        run_id: Dagster's id of the run.
        success: Whether every step ended well.
        failures: For each failed step, its name and the message of its cause.
        checks_passed: Number of checks that passed.
        checks_failed: Names of the checks that did not, with their severity.
    """

    run_id: str
    success: bool
    failures: tuple[tuple[str, str], ...]
    checks_passed: int
    checks_failed: tuple[tuple[str, str], ...]


def launch_platform(dock: Dock, run_id: str, *, full: bool = False) -> Launched:
    """Run everything once.

    Args:
        dock: The opened deployment.
        run_id: Id that the run gets.
        full: Whether the warehouse is rebuilt from the lake.
    """
    job = build_definitions(dock).resolve_job_def(PLATFORM)
    with open_instance(dock.settings.dagster_home) as instance:
        result = job.execute_in_process(
            instance=instance,
            run_id=run_id,
            raise_on_error=False,
            run_config=_QUIET,
            tags={FULL: "true"} if full else {},
        )
    evaluations = result.get_asset_check_evaluations()
    failed = [e for e in evaluations if not e.passed]
    return Launched(
        run_id=result.run_id,
        success=result.success,
        failures=tuple(_failures(result)),
        checks_passed=len(evaluations) - len(failed),
        checks_failed=tuple((f"{e.asset_key.to_user_string()}: {e.check_name}", e.severity.value) for e in failed),
    )


def _failures(result: dg.ExecuteInProcessResult) -> list[tuple[str, str]]:
    found = []
    for event in result.all_events:
        if event.is_step_failure and event.step_failure_data.error is not None:
            error = event.step_failure_data.error
            while error.cause is not None and (error.cls_name or "").startswith("Dagster"):
                error = error.cause  # Dagster wraps what a step raised; that one words itself
            found.append((event.step_key or "", error.message.strip()))
    return found
