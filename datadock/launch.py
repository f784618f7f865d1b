"""Running the deployment's jobs on Dagster's instance: the platform's in this process, any other one in its own.

What is launched here stands in the Dagster UI like any other run.
"""

from __future__ import annotations

import multiprocessing
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg

from datadock.definitions import build_definitions
from datadock.dock import Dock, exclusive, open_dock
from datadock.errors import DatadockError
from datadock.instance import prepare_instance
from datadock.jobs import PLATFORM, TREATMENT, TREATMENTS_STEP
from datadock.settings import Settings, name_dagster_home

_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}

FULL = "datadock/full"
"""Run tag: rebuild the warehouse from the lake."""

_POLL_SECONDS = 0.5
_GRACE_SECONDS = 20.0


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
        failures=tuple(_failed_steps(result.all_events)),
        checks_passed=len(evaluations) - len(failed),
        checks_failed=tuple((f"{e.asset_key.to_user_string()}: {e.check_name}", e.severity.value) for e in failed),
    )


def _failed_steps(events: Iterable[dg.DagsterEvent]) -> list[tuple[str, str]]:
    found = []
    for event in events:
        if event.is_step_failure and event.step_failure_data.error is not None:
            error = event.step_failure_data.error
            while error.cause is not None and (error.cls_name or "").startswith("Dagster"):
                error = error.cause  # Dagster wraps what a step raised; that one words itself
            found.append((event.step_key or "", error.message.strip()))
    return found


@dataclass(frozen=True)
class Ended:
    """A job that was launched, waited for, and ended well.

    Attributes:
        run_id: Dagster's id of the run.
        job: The job.
        seconds: How long it took on the clock.
        facts: Asset, as ``layer/name``, to the metadata of its materialization in the run.
    """

    run_id: str
    job: str
    seconds: float
    facts: dict[str, dict[str, Any]] = field(default_factory=dict)


def treatment_config(**asked: Any) -> dict[str, Any]:
    """Return the run config of the job ``treatment``: kind, contacts, by, why, and what the kind takes."""
    return {"ops": {TREATMENTS_STEP: {"config": asked}}}


def launch_and_wait(
    dock: Dock, job: str, run_config: Mapping[str, Any] | None = None, *, timeout_seconds: float = 3600.0
) -> Ended:
    """Launch a job in a process of its own and wait until it has ended: what a step of a workflow calls.

    No daemon is needed. A job that writes the warehouse holds the home's run lock and waits for it; both count.

    Args:
        dock: The opened deployment.
        job: Name of the job.
        run_config: Its run config; ``treatment_config`` makes that of a treatment.
        timeout_seconds: How long to wait; the run is ended when it has not ended by then.

    Raises:
        DatadockError: When there is no such job, the run failed, was ended from outside, or took too long.
    """
    known = sorted(one.name for one in build_definitions(dock).jobs or [])
    if job not in known:
        raise DatadockError(f"no job is called {job!r}", f"one of {', '.join(known)}", "mend the name")
    run_id, began = str(uuid.uuid4()), time.monotonic()
    arguments = (dock.settings, job, run_id, {**_QUIET, **(run_config or {})}, timeout_seconds)
    process = multiprocessing.get_context("spawn").Process(target=_execute, args=arguments, daemon=False)
    process.start()
    with open_instance(dock.settings.dagster_home) as instance, dock.progress.step(f"job {job}") as note:
        _wait(dock, instance, process, run_id, began + timeout_seconds)
        run = instance.get_run_by_id(run_id)
        seconds = time.monotonic() - began
        if run is None or run.status != dg.DagsterRunStatus.SUCCESS:
            raise _unsuccessful(instance, job, run, seconds, timeout_seconds)
        note(f"run {run_id[:8]}, {seconds:.1f} s")
        return Ended(run_id, job, seconds, _facts(instance, run_id))


def _execute(settings: Settings, job: str, run_id: str, run_config: dict[str, Any], wait_seconds: float) -> None:
    """Run a job; the body of the process that ``launch_and_wait`` starts."""
    dock = open_dock(settings)
    resolved = build_definitions(dock).resolve_job_def(job)
    with open_instance(settings.dagster_home) as instance:
        if job == TREATMENT:  # takes the lock itself, when it has begun
            resolved.execute_in_process(instance=instance, run_id=run_id, raise_on_error=False, run_config=run_config)
            return
        with exclusive(settings.home_path, wait_seconds):
            resolved.execute_in_process(instance=instance, run_id=run_id, raise_on_error=False, run_config=run_config)


def _wait(dock: Dock, instance: dg.DagsterInstance, process: Any, run_id: str, until: float) -> None:
    """Wait for the end of a run's process, tell each new status, and end it when the time is over."""
    told: str | None = None
    while process.is_alive() and time.monotonic() < until:
        process.join(_POLL_SECONDS)
        run = instance.get_run_by_id(run_id)
        if run is not None and run.status.value != told:
            told = run.status.value
            dock.progress.say(f"         run {run_id[:8]} of {run.job_name}: {told.lower()}")
    if process.is_alive():
        process.terminate()
        process.join(_GRACE_SECONDS)
        if process.is_alive():
            process.kill()
            process.join()
    run = instance.get_run_by_id(run_id)
    if run is not None and not run.is_finished:
        instance.report_run_failed(run)


def _unsuccessful(
    instance: dg.DagsterInstance, job: str, run: dg.DagsterRun | None, seconds: float, timeout: float
) -> DatadockError:
    late = seconds >= timeout
    causes = [] if run is None else _causes(instance, run.run_id)
    status = "did not start" if run is None else f"ended as {run.status.value.lower()}"
    found = f"the job {job} {f'had not ended after {timeout:,.0f} s' if late else status}"
    return DatadockError(
        "\n".join([found, *causes]),
        expected="a run that ends well" + (f" within {timeout:,.0f} s" if late else ""),
        action="mend the cause, and launch it again" if run is None else f"see the run {run.run_id} in: datadock ui",
    )


def _causes(instance: dg.DagsterInstance, run_id: str) -> list[str]:
    events = [entry.dagster_event for entry in instance.all_logs(run_id) if entry.dagster_event is not None]
    return [f"  {step}: {cause}" for step, cause in _failed_steps(events)]


def _facts(instance: dg.DagsterInstance, run_id: str) -> dict[str, dict[str, Any]]:
    found = {}
    for entry in instance.all_logs(run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION):
        made = entry.asset_materialization
        if made is not None:
            found["/".join(made.asset_key.path)] = {name: value.value for name, value in made.metadata.items()}
    return found


@contextmanager
def open_instance(folder: Path) -> Iterator[dg.DagsterInstance]:
    """Open the instance of a folder, made where it is new; ``DAGSTER_HOME`` then names it, as Dagster's tools want."""
    name_dagster_home(prepare_instance(folder))
    with dg.DagsterInstance.from_config(str(folder)) as instance:
        yield instance
