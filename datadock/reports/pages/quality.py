"""Data-quality state: whom one can reach, what to mend first, and each source's channels with their trend."""

from __future__ import annotations

from typing import Any

from datadock.reports.charts import Part, sparkline, stacked
from datadock.reports.labels import CHANNELS
from datadock.reports.pages.reach import civilities, priorities, reach
from datadock.reports.reading import Reading, Row

_RUNS = 30

_CHANNELS = """
    with runs as (
        select distinct measured_at from marts.dq_channel_state order by measured_at desc limit $1
    )
    select
        state.*,
        state.spoilt / nullif(state.filled, 0) as spoilt_rate,
        state.rejected / nullif(state.filled, 0) as rejected_rate
    from marts.dq_channel_state as state
    inner join runs using (measured_at)
    order by state.source, state.channel, state.measured_at
"""

_DUPLICATES = """
    with runs as (
        select distinct measured_at from marts.dq_duplicate_state order by measured_at desc limit $1
    )
    select state.*, state.duplicate_rate as rate
    from marts.dq_duplicate_state as state
    inner join runs using (measured_at)
    order by state.left_source, state.right_source, state.measured_at
"""


_RATES = {
    "fill_rate": "Filled",
    "valid_rate": "Valid",
    "corrected_rate": "Corrected",
    "doubtful_rate": "Doubtful",
    "spoilt_rate": "Spoilt",
    "rejected_rate": "Rejected",
    "duplicate_rate": "Repeated",
    "rate": "Repeated",
}
"""What each rate says, in the order of the page."""


def gather(reading: Reading) -> dict[str, Any]:
    """Return what the data-quality page shows."""
    measured = reading.rows(_CHANNELS, "marts.dq_channel_state", values=[_RUNS])
    channels = _grouped(measured, ("source", "channel"), tuple(_RATES)[:-1])
    duplicates = _grouped(
        reading.rows(_DUPLICATES, "marts.dq_duplicate_state", values=[_RUNS]),
        ("left_source", "right_source"),
        ("rate",),
    )
    sources: dict[str, list[Row]] = {}
    for row in channels:
        told = {"name": CHANNELS[row["channel"]][0], "parts": stacked(_parts(row), row["channel"])}
        sources.setdefault(row["source"], []).append(row | told)
    return {
        "reach": reach(reading),
        "mend": priorities(reading),
        "civilities": civilities(reading),
        "sources": sources,
        "within": [row for row in duplicates if row["left_source"] == row["right_source"]],
        "between": sorted(
            (row for row in duplicates if row["left_source"] != row["right_source"]),
            key=lambda row: -(row["rate"] or 0),
        ),
        "runs": len({row["measured_at"] for row in measured}),
        "measured_at": max((row["measured_at"] for row in channels), default=None),
    }


def _grouped(rows: list[Row], key: tuple[str, ...], rates: tuple[str, ...]) -> list[Row]:
    """Return the newest row of each group, with a trend per rate; none for groups of earlier runs only."""
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(row[name] for name in key), []).append(row)
    newest = max((row["measured_at"] for row in rows), default=None)
    return [
        {
            **history[-1],
            "trend": {rate: sparkline([row[rate] for row in history], _RATES[rate]) for rate in rates},
        }
        for history in groups.values()
        if history[-1]["measured_at"] == newest
    ]


def _parts(row: Row) -> list[Part]:
    """Return what became of the filled records; they add up to all of them."""
    corrected = row["corrected"] or 0
    return [
        Part("valid as declared", (row["valid"] or 0) - corrected, "good"),
        Part("valid once corrected", corrected, "mended"),
        Part("doubtful", row["doubtful"] or 0, "doubt"),
        Part("spoilt", row["spoilt"] or 0, "lost"),
        Part("rejected", row["rejected"] or 0, "junk"),
    ]
