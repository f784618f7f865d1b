"""What the dock holds, in figures: for the end of a run and for ``datadock status``.

Figures come from the lake's ledgers and from the published marts; nothing is computed twice.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import duckdb

from datadock import names
from datadock.dock import Dock
from datadock.events.arrivals import waiting


@dataclass(frozen=True)
class SourceRows:
    """Rows of one source: what came in, what loaded, what is in quarantine; new ones of this run."""

    source: str
    rows_in: int
    loaded: int
    quarantined: int
    new_rows: int
    batches: int
    last_received: datetime | None


@dataclass(frozen=True)
class DuplicateRate:
    """Share of the left source's contact records that have a twin in the right source (or in itself)."""

    left: str
    right: str
    records: int
    rate: float


@dataclass(frozen=True)
class Summary:
    """What the dock holds after a run."""

    sources: tuple[SourceRows, ...]
    contacts_before: int
    contacts_after: int
    duplicates: tuple[DuplicateRate, ...]
    checks_passed: int
    checks_failed: tuple[tuple[str, str], ...]
    places: dict[str, str]

    def as_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)

    def as_json(self) -> str:
        """Return JSON text."""
        return json.dumps(self.as_dict(), default=str)

    def text(self) -> str:
        """Return what a person reads."""
        width = max([len("source"), *(len(s.source) for s in self.sources)])
        lines = [f"{'source':<{width}}  {'rows in':>10}  {'loaded':>10}  {'quarantined':>11}  {'new':>10}"]
        lines += [
            f"{s.source:<{width}}  {s.rows_in:>10,}  {s.loaded:>10,}  {s.quarantined:>11,}  {s.new_rows:>10,}"
            for s in self.sources
        ]
        lines += [
            "",
            f"contacts     {self.contacts_before:,} source records -> {self.contacts_after:,} golden contacts",
        ]
        within = [d for d in self.duplicates if d.left == d.right]
        between = sorted((d for d in self.duplicates if d.left != d.right), key=lambda d: -d.rate)
        if within:
            lines.append("duplicates   within:  " + ", ".join(f"{d.left} {d.rate:.1%}" for d in within))
        if between:
            shown = ", ".join(f"{d.left} in {d.right} {d.rate:.1%}" for d in between[:4])
            lines.append(f"             between: {shown}" + (" ..." if len(between) > 4 else ""))
        if self.checks_passed or self.checks_failed:
            lines.append(f"checks       {self.checks_passed:,} passed, {len(self.checks_failed):,} failed")
        lines += [f"             {severity}: {check}" for check, severity in self.checks_failed[:12]]
        lines += [f"{place:<12} {where}" for place, where in self.places.items()]
        return "\n".join(lines)


@dataclass(frozen=True)
class Status:
    """What the dock holds and what it waits for, at any moment."""

    summary: Summary
    waiting_files: dict[str, int]
    last_run: dict[str, Any] | None
    alerts: tuple[dict[str, Any], ...]

    def as_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            **self.summary.as_dict(),
            "waiting_files": self.waiting_files,
            "last_run": self.last_run,
            "alerts": list(self.alerts),
        }

    def text(self) -> str:
        """Return what a person reads."""
        lines = [self.summary.text()]
        if self.last_run:
            lines.append(f"last run     {self.last_run['status']} at {self.last_run['started_at']:%Y-%m-%d %H:%M} UTC")
        else:
            lines.append("last run     none yet: datadock run")
        if self.waiting_files:
            waits = ", ".join(f"{count} for {source}" for source, count in self.waiting_files.items())
            lines.append(f"waiting      files: {waits}")
        lines += [f"ALERT {a['criticality']}      {a['title']}: {a['detail'][:200]}" for a in self.alerts[:5]]
        return "\n".join(lines)


def summarise(
    dock: Dock,
    run_id: str,
    *,
    since: datetime | None = None,
    checks_passed: int = 0,
    checks_failed: tuple[tuple[str, str], ...] = (),
) -> Summary:
    """Sum up what the dock holds.

    Args:
        dock: The opened deployment.
        run_id: The run whose duplicate rates are told.
        since: Batches recorded from this time on count as new.
        checks_passed: Number of checks that passed in the run.
        checks_failed: Name and severity of those that did not.
    """
    before, after = _contacts(dock)
    settings = dock.settings
    return Summary(
        sources=tuple(_source_rows(dock, since)),
        contacts_before=before,
        contacts_after=after,
        duplicates=tuple(_duplicates(dock, run_id)),
        checks_passed=checks_passed,
        checks_failed=checks_failed,
        places={
            "reports": str(settings.reports / "index.html"),
            "warehouse": str(settings.published / "current.duckdb"),
            "lake": settings.lake_root,
            "UI": "make ui, then http://127.0.0.1:3000",
        },
    )


def status_of(dock: Dock) -> Status:
    """Say what the dock holds and waits for."""
    last = dock.state.last_run()
    good = dock.state.last_run("success")
    waits = {s.name: len(waiting(dock.settings.landing / s.name, s.pattern)) for s in dock.catalog.sources.values()}
    return Status(
        summary=summarise(dock, good.run_id if good else ""),
        waiting_files={source: count for source, count in waits.items() if count},
        last_run=None if last is None else vars(last) | {"summary": None},
        alerts=tuple(vars(alert) for alert in dock.state.open_alerts()),
    )


def _source_rows(dock: Dock, since: datetime | None) -> list[SourceRows]:
    files = dock.lake.files(names.BATCHES)
    found: dict[str, SourceRows] = {}
    if files:
        query = """
            select source, sum(rows_in)::bigint, sum(rows_loaded)::bigint, sum(rows_quarantined)::bigint,
                coalesce(sum(rows_in) filter (recorded_at >= $since), 0)::bigint, count(*), max(received_at)
            from read_parquet($files, union_by_name=true) group by source
        """
        with duckdb.connect() as connection:
            connection.execute("set timezone = 'UTC'")
            rows = connection.execute(query, {"files": files, "since": since}).fetchall()
        found = {row[0]: SourceRows(*row) for row in rows}
    return [found.get(name, SourceRows(name, 0, 0, 0, 0, 0, None)) for name in dock.catalog.sources]


def _contacts(dock: Dock) -> tuple[int, int]:
    files = dock.lake.files(names.MEMBERSHIPS)
    if not files:
        return 0, 0
    query = """
        select count(*), count(distinct golden_id) from (
            select golden_id from read_parquet($files, union_by_name=true)
            qualify row_number() over (partition by source, source_key order by valid_from desc) = 1
        ) where golden_id is not null
    """
    with duckdb.connect() as connection:
        row = connection.execute(query, {"files": files}).fetchone()
    return (row[0], row[1]) if row else (0, 0)


def _duplicates(dock: Dock, run_id: str) -> list[DuplicateRate]:
    from datadock.warehouse.publish import published_file

    if published_file(dock.settings) is None or not run_id:
        return []
    from datadock.warehouse.publish import query_published

    _, rows = query_published(
        dock.settings,
        "select left_source, right_source, duplicate_records, duplicate_rate from marts.dq_duplicate_state"
        " where run_id = (select arg_max(run_id, measured_at) from marts.dq_duplicate_state)"
        " order by left_source, right_source",
    )
    return [DuplicateRate(*row) for row in rows]
