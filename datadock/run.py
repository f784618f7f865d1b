"""One run of the whole platform: pull, see whether anything is new, launch, sum up.

The quick way out (nothing new) imports neither Dagster nor dbt.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy.exc import OperationalError

from datadock.dock import Dock, exclusive
from datadock.errors import DatadockError
from datadock.events.arrivals import waiting
from datadock.fingerprint import asked, fingerprint
from datadock.state import Alert
from datadock.summary import Summary, summarise


@dataclass(frozen=True)
class Outcome:
    """How a run ended.

    Attributes:
        status: ``nothing_new``, ``success`` or ``failure``.
        run_id: The run's id; that of the last good run where nothing was new.
        summary: What the dock holds now.
        failures: For each failed step, its name and its cause.
    """

    status: str
    run_id: str
    summary: Summary
    failures: tuple[tuple[str, str], ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON."""
        return {
            "status": self.status,
            "run_id": self.run_id,
            "failures": [{"step": step, "cause": cause} for step, cause in self.failures],
            **self.summary.as_dict(),
        }

    def text(self) -> str:
        """Return what a person reads at the end of a run."""
        if self.status == "nothing_new":
            return f"Nothing new since run {self.run_id[:8]}: no table was rewritten.\n\n{self.summary.text()}"
        lines = [self.summary.text()]
        lines += [f"\nFAILED {step}\n{cause}" for step, cause in self.failures]
        return "\n".join(lines)


def run_platform(dock: Dock, *, full: bool = False) -> Outcome:
    """Land what waits and build what it touches.

    A run that was killed leaves nothing half-written: the next one ends where a calm one would.

    Args:
        dock: The opened deployment.
        full: Rebuild the warehouse from the lake, even where nothing is new.

    Raises:
        DatadockError: When another run is under way, a source cannot be pulled, or the home cannot be written.
    """
    with _storage_worded(dock.settings.home_path), exclusive(dock.settings.home_path):
        dock.lake.sweep()
        began = datetime.now(UTC)
        pull_sources(dock)
        _land_committed(dock)
        last = dock.state.last_run("success")
        if not full and last and not _files_wait(dock) and last.fingerprint == fingerprint(dock):
            return Outcome("nothing_new", last.run_id, summarise(dock, last.run_id))
        return _launch(dock, began, full=full)


@contextmanager
def _storage_worded(home: Path) -> Iterator[None]:
    """Word what the operating system or SQLite says of a home that cannot be written."""
    try:
        yield
    except (OSError, OperationalError) as error:
        cause = error.orig if isinstance(error, OperationalError) else error
        free = shutil.disk_usage(home if home.exists() else home.parent).free
        raise DatadockError(
            f"the home {home} could not be written: {cause}; {free / 1e6:,.1f} MB are free there",
            expected="a folder with free space that this user may write",
            action="free space or mend the folder's rights, then run again: it goes on where it stopped",
        ) from error


def pull_sources(dock: Dock) -> None:
    """Fetch every source that is pulled, so that its new records are in the raw tables."""
    pulled = [source for source in dock.catalog.sources.values() if source.pull]
    if not pulled:
        return
    from datadock.landing import pull

    for source in pulled:
        with dock.progress.step(f"pull {source.name}") as note:
            batches = pull(dock.lake, source, dock.settings)
            note(f"{sum(b.rows_in for b in batches if not b.known):,} new records")


def _land_committed(dock: Dock) -> None:
    """Land what the identity index has committed, so that a run meets it."""
    if (dock.settings.identity_index / "journal").is_dir():
        from datadock.identity.index.journal import land_committed

        for source in dock.catalog.sources.values():
            land_committed(dock, source)


def _files_wait(dock: Dock) -> bool:
    return any(waiting(dock.settings.landing / s.name, s.pattern) for s in dock.catalog.sources.values())


def _launch(dock: Dock, began: datetime, *, full: bool) -> Outcome:
    from datadock.launch import launch_platform

    run_id = str(uuid.uuid4())
    ledgers = asked(dock)  # what is decided or treated meanwhile is news to the next run
    dock.state.start_run(run_id)
    try:
        launched = launch_platform(dock, run_id, full=full)
    except DatadockError as error:
        _record_failure(dock, run_id, str(error))
        raise
    summary = summarise(
        dock, run_id, since=began, checks_passed=launched.checks_passed, checks_failed=launched.checks_failed
    )
    if launched.success:
        # What lands meanwhile is news to the next run, too: only what staging has read counts as built.
        dock.state.end_run(run_id, "success", fingerprint(dock, ledgers, _raw_read(dock)), summary.as_json())
        dock.state.close_alerts("run:")
        return Outcome("success", run_id, summary)
    causes = "\n".join(f"{step}: {cause}" for step, cause in launched.failures)
    _record_failure(dock, run_id, causes)
    return Outcome("failure", run_id, summary, launched.failures)


def _raw_read(dock: Dock) -> dict[str, int]:
    """Return the version up to which every raw table was read by all of its staging models."""
    from datadock.warehouse.store import open_warehouse, read_cursors

    read: dict[str, int] = {}
    with open_warehouse(dock.settings) as con:
        for cursor in read_cursors(con):
            read[cursor.table] = min(cursor.version, read.get(cursor.table, cursor.version))
    return read


def _record_failure(dock: Dock, run_id: str, causes: str) -> None:
    dock.state.end_run(run_id, "failure", None, causes)
    dock.state.raise_alert(Alert(f"run:{run_id}", "anomaly", 4, f"run {run_id[:8]} failed", causes))
