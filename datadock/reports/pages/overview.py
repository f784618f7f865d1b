"""The start page: what came in, what it became, how much of it repeats, what the checks say."""

from __future__ import annotations

from typing import Any

from datadock.reports.figures import age
from datadock.reports.reading import Reading, Row
from datadock.validations import Outcome, SuiteResult

_BATCHES = """
    select
        source,
        sum(rows_in) as rows_in,
        sum(rows_loaded) as loaded,
        sum(rows_quarantined) as quarantined,
        count(*) as batches,
        max(received_at) as last_received
    from ledger.batches
    group by source
"""

_CONTACTS = """
    select count(golden_id) as records, count(distinct golden_id) as contacts
    from (
        select source, source_key, arg_max(golden_id, valid_from) as golden_id
        from golden.memberships
        group by source, source_key
    )
"""

_DUPLICATES = """
    select left_source, right_source, duplicate_rate as rate
    from marts.dq_duplicate_state
    where measured_at = (select max(measured_at) from marts.dq_duplicate_state)
"""


def gather(reading: Reading, results: list[SuiteResult]) -> dict[str, Any]:
    """Return what the start page shows.

    Args:
        reading: The deployment.
        results: The newest result of every suite.
    """
    outcomes = [outcome for result in results for outcome in result.outcomes]
    failed = [outcome for outcome in outcomes if not outcome.success]
    return {
        "sources": _sources(reading),
        "contacts": reading.one(_CONTACTS, "golden.memberships"),
        "duplicates": _duplicates(reading),
        "passed": len(outcomes) - len(failed),
        "failed": len(failed),
        "critical": sum(outcome.severity == "critical" for outcome in failed),
        "first_failures": _gravest(results)[:8],
    }


def _gravest(results: list[SuiteResult]) -> list[tuple[SuiteResult, Outcome]]:
    """Return what failed and is more than for information, critical ones first."""
    found = [(result, outcome) for result in results for outcome in result.failed if outcome.severity != "info"]
    return sorted(found, key=lambda pair: pair[1].severity != "critical")


def _sources(reading: Reading) -> list[Row]:
    landed = {row["source"]: row for row in reading.rows(_BATCHES, "ledger.batches")}
    empty = {"rows_in": 0, "loaded": 0, "quarantined": 0, "batches": 0, "last_received": None}
    rows = []
    for name, source in reading.catalog.sources.items():
        row = {**empty, "source": name, **landed.get(name, {})}
        days = source.freshness.warn_after_days if source.freshness else None
        row["owner"] = source.owner
        row["description"] = source.description
        row["age"] = age(row["last_received"], reading.now)
        row["state"] = _freshness(row["last_received"], days, reading)
        row["promised"] = days
        row["refused"] = row["quarantined"] / row["rows_in"] if row["rows_in"] else None
        row["many_refused"] = (row["refused"] or 0) > source.max_quarantine_rate
        rows.append(row)
    return rows


def _freshness(last: Any, days: float | None, reading: Reading) -> str:
    if last is None:
        return "never"
    if days is None:
        return "received"
    return "stale" if (reading.now - last).total_seconds() > days * 86400 else "fresh"


def _duplicates(reading: Reading) -> dict[str, Any]:
    """Return the matrix of duplicate rates: ``rates[left][right]``, within on the diagonal."""
    rates: dict[str, dict[str, float]] = {}
    for row in reading.rows(_DUPLICATES, "marts.dq_duplicate_state"):
        rates.setdefault(row["left_source"], {})[row["right_source"]] = row["rate"]
    names = sorted({name for left, rights in rates.items() for name in (left, *rights)})
    return {"names": names, "rates": rates}
