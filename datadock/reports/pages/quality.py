"""Data-quality state per source and channel: filled, valid, repeated, with the trend over the runs."""

from __future__ import annotations

from typing import Any

from datadock.reports.charts import sparkline
from datadock.reports.reading import Reading, Row

_RUNS = 30

_CHANNELS = """
    with runs as (
        select distinct measured_at from marts.dq_channel_state order by measured_at desc limit $1
    )
    select state.*
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


def gather(reading: Reading) -> dict[str, Any]:
    """Return what the data-quality page shows."""
    channels = _grouped(
        reading.rows(_CHANNELS, "marts.dq_channel_state", values=[_RUNS]),
        ("source", "channel"),
        ("fill_rate", "valid_rate", "duplicate_rate"),
    )
    duplicates = _grouped(
        reading.rows(_DUPLICATES, "marts.dq_duplicate_state", values=[_RUNS]),
        ("left_source", "right_source"),
        ("rate",),
    )
    sources: dict[str, list[Row]] = {}
    for row in channels:
        sources.setdefault(row["source"], []).append(row)
    return {
        "sources": sources,
        "within": [row for row in duplicates if row["left_source"] == row["right_source"]],
        "between": sorted(
            (row for row in duplicates if row["left_source"] != row["right_source"]),
            key=lambda row: -(row["rate"] or 0),
        ),
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
            "trend": {rate: sparkline([row[rate] for row in history], _words(rate)) for rate in rates},
        }
        for history in groups.values()
        if history[-1]["measured_at"] == newest
    ]


def _words(rate: str) -> str:
    return {"fill_rate": "Filled", "valid_rate": "Valid", "duplicate_rate": "Repeated", "rate": "Repeated"}[rate]
